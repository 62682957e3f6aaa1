"""The model of a store and of its region: calendar effects, levels, what a store borrows from its region.

`state` keeps a store's fit from night to night; `signal` carries a region's fit to its stores; `models` is the menu of
statsmodels models.
"""

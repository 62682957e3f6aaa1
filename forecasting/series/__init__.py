"""Sales histories as arrays, and what belongs to them: calendar, weather, holidays, pools of stores.

`panel` is the shape everything else takes; `history` reads anyone's table into it.
"""

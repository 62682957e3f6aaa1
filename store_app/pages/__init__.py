"""The pages, one noun one file; each exports `bp`. Which node shows which is `store_app/roles.py`'s to say."""

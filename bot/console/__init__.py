"""The pages of the staff, at /staff. `pages.py` is what all of them share, `access.py` who may see which."""

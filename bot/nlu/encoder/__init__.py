"""Our own small sentence encoder: English and Spanish sentences that mean the same get nearly the same vector.

`sentences.py` runs it, and is all that the assistant needs. The other modules and `pairs/` are the recipe by which it
was made; they need torch, and `musebot encoder train` runs them.
"""

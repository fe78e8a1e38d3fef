"""Commands that make, edit and describe music."""

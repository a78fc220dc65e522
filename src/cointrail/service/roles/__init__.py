"""What scripts are for, as far as their habits tell: answers of the roles in `profile`."""

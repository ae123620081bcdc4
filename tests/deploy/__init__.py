"""Process and file management of the deploy room."""

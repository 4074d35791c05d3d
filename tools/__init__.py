"""Commands for those who work on epicase."""

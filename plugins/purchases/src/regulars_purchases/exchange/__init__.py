"""Products and sales as files hold them, in and out."""

"""What customers bought: products, receipts, their lines and returns."""

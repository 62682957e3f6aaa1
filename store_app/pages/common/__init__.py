"""What pages of several rooms share: forms, uploads, finding a product, refusals."""

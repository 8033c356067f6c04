"""Exported models at work, each by the program that runs it; PyTorch is imported only by those that are PyTorch's."""

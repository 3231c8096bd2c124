"""Plain tables (.csv, .tsv, .txt) and numpy archives (.npz), with a TOML file that states what is in them."""

from twin.readers.table.file import FORMAT, accepts, read

__all__ = ["FORMAT", "accepts", "read"]

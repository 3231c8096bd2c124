"""From stored recordings of any size to batches of a few fixed shapes."""

from surrogate.batches.batch import Batch
from surrogate.batches.items import Item, Items
from surrogate.batches.loader import Bucket, Loader
from surrogate.batches.session import Session, open_session, session_of

__all__ = ["Batch", "Bucket", "Item", "Items", "Loader", "Session", "open_session", "session_of"]

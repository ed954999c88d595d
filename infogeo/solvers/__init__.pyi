from .moment import Moment as Moment, Snapshot as Snapshot
from .place import Place as Place

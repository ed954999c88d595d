from .moment import Moment as Moment, Snapshot as Snapshot

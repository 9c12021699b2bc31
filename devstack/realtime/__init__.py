"""Realtime: channels over a WebSocket, fed by clients and by the database's write-ahead log.

A change takes this way: `replication.py` receives it when it commits, `pgoutput.py` reads it,
`changes.py` decides who may see it (by asking the database as the subscriber), and `channel.py`
sends it. A message that SQL sends by `realtime.send()` takes the same way up to `hub.py`.
"""

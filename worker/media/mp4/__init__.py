"""MP4 files as boxes and sample tables: read, changed and written, by the standard library alone.

Source: ISO/IEC 14496-12. Users' files are read in a confined process only (see ``start``).
"""

"""How a shard's state is set up in RocksDB: bounded in memory, and for rows in bulk; and what it reports of a disk."""

import errno
import os
from typing import Final

from rocksdict import BlockBasedOptions, Cache, Options

# RocksDB holds a writer up if so many files are not merged yet, and the writer holds the interpreter's lock. A restore
# leaves a file for each 32 MiB.
_MANY_FILES: Final = 10_000


def options(cache_mib: int) -> Options:
    """The options of a database."""
    blocks = BlockBasedOptions()
    blocks.set_block_cache(Cache(cache_mib << 20))
    blocks.set_bloom_filter(10, False)
    found = Options(raw_mode=True)
    found.set_block_based_table_factory(blocks)
    found.set_write_buffer_size(8 << 20)
    found.set_max_write_buffer_number(2)
    found.set_max_open_files(256)
    found.set_keep_log_file_num(2)
    found.set_level_zero_slowdown_writes_trigger(_MANY_FILES)
    found.set_level_zero_stop_writes_trigger(_MANY_FILES)
    return found


USUAL: Final = {"level0_file_num_compaction_trigger": "4"}
BULK: Final = {"level0_file_num_compaction_trigger": str(_MANY_FILES)}  # merged once, behind the restore
# RocksDB reports a disk's error with the text of strerror.
REFUSALS: Final = tuple(
    os.strerror(number)
    for number in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EROFS,
        errno.EACCES,
        errno.EPERM,
        errno.EMFILE,
        errno.ENFILE,
    )
)

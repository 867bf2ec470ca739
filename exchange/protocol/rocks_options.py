"""How a shard's state is set up in RocksDB: bounded in memory, and for rows in bulk; and what it reports of a disk."""

import errno
import os
from typing import Final

from rocksdict import BlockBasedOptions, Cache, Options, WriteOptions


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
    return found


def unlogged() -> WriteOptions:
    """For writes that are in memory only until they are flushed."""
    found = WriteOptions()
    found.disable_wal = True  # type: ignore[method-assign, assignment]  # a property, which its stub has as a method
    return found


def _merged_from(files: int) -> dict[str, str]:
    """Files of new rows are merged once there are so many; if that does not keep up, writers are held up."""
    return {
        "level0_file_num_compaction_trigger": str(files),
        "level0_slowdown_writes_trigger": str(5 * files),
        "level0_stop_writes_trigger": str(9 * files),
    }


USUAL: Final = _merged_from(4)
BULK: Final = _merged_from(16)
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

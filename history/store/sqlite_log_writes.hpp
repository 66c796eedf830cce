// SQLite's files with the write-ahead log written in large pieces.
#pragma once

namespace lockstep::history {

// The name of a VFS (sqlite.org/vfs.html), registered when first asked for: SQLite's default one, but that the frames
// of a transaction reach its log in writes of 64 KiB. SQLite itself writes each frame's header and page on
// their own, 24 and 4096 bytes; a commit by 64 clients has some 1,500 of them, and took half its time in the kernel.
//
// Nothing is weaker for it. The frame that ends a transaction, a sync and a read of the log write all that waits and
// return its error, before SQLite shows the commit to anybody. What waits when a transaction is rolled back is dropped
// before the next writer may begin. A device that could tear its neighbours' bytes gets SQLite's own writes.
const char* vfs_with_large_log_writes();

}  // namespace lockstep::history

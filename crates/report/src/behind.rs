//! A file written by a thread of its own: rows are made while the system takes those before them, and what is on its
//! way to the disk at the end is little.

use std::{
    fs::File,
    io::{self, Write},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, JoinHandle},
};

/// Bytes that go to the thread at a time.
const BLOCK_BYTES: usize = 256 * 1024;
/// Blocks there are. When all of them wait for the system, so does whoever writes.
const BLOCKS: usize = 8;
/// Bytes after which the thread has the system put them on the disk.
const SYNC_BYTES: usize = 8 << 20;

/// The writing end. Dropped, what was not written is not; the file is nobody's business any more then.
pub(crate) struct Behind {
    block: Vec<u8>,
    /// `None` once nothing more comes.
    full: Option<SyncSender<Vec<u8>>>,
    written: Receiver<Vec<u8>>,
    /// Blocks that may still be made.
    unmade: usize,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Behind {
    /// Writes to `file` from where it stands.
    ///
    /// # Errors
    /// If the system gives no second handle of the file, or no thread.
    pub fn begin(file: &File) -> io::Result<Self> {
        let file = file.try_clone()?;
        let (full, next) = sync_channel(BLOCKS);
        let (back, written) = sync_channel(BLOCKS);
        let write = move || put(file, &next, &back);
        let thread = thread::Builder::new().name("file".into()).spawn(write)?;
        Ok(Self {
            block: Vec::with_capacity(BLOCK_BYTES),
            full: Some(full),
            written,
            unmade: BLOCKS - 1,
            thread: Some(thread),
        })
    }

    /// Waits until the file has everything.
    ///
    /// # Errors
    /// What the system said to any of it.
    pub fn finish(mut self) -> io::Result<()> {
        if !self.block.is_empty() {
            self.hand_over()?;
        }
        self.end()
    }

    /// Gives the block to the thread, and goes on with an empty one.
    fn hand_over(&mut self) -> io::Result<()> {
        let block = std::mem::take(&mut self.block);
        let sent = self.full.as_ref().map(|full| full.send(block));
        let next = match (sent, self.unmade) {
            (Some(Ok(())), 0) => self.written.recv().ok(),
            (Some(Ok(())), _) => {
                // One that came back is taken first: memory grows only as far as the thread stays behind.
                let back = self.written.try_recv().ok();
                self.unmade -= usize::from(back.is_none());
                Some(back.unwrap_or_else(|| Vec::with_capacity(BLOCK_BYTES)))
            }
            (Some(Err(_)) | None, _) => None,
        };
        match next {
            Some(block) => {
                self.block = block;
                Ok(())
            }
            // The thread has ended before its time.
            None => Err(self.end().err().unwrap_or_else(ended)),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        self.full = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(done)) => done,
            Some(Err(_)) | None => Err(ended()),
        }
    }
}

impl Write for Behind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BLOCK_BYTES - self.block.len();
        let part = &bytes[..bytes.len().min(room)];
        self.block.extend_from_slice(part);
        if self.block.len() == BLOCK_BYTES {
            self.hand_over()?;
        }
        Ok(part.len())
    }

    /// Does nothing: [`Behind::finish`] waits for the file.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // Nobody writes to a file that may be removed.
        let _ = self.end();
    }
}

fn ended() -> io::Error {
    io::Error::other("the thread that writes the file has stopped")
}

/// Writes what comes until nothing more does, or the system refuses.
fn put(mut file: File, next: &Receiver<Vec<u8>>, back: &SyncSender<Vec<u8>>) -> io::Result<()> {
    let mut since = 0;
    while let Ok(mut block) = next.recv() {
        file.write_all(&block)?;
        since += block.len();
        block.clear();
        // There is room for all of them; nobody takes the last ones.
        let _ = back.send(block);
        if since >= SYNC_BYTES {
            since = 0;
            file.sync_data()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_every_byte_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        // None, one block exactly, and more than there are blocks, in pieces that fit into none.
        for len in [0, 1, BLOCK_BYTES, 3 * BLOCKS * BLOCK_BYTES + 12_345] {
            let bytes: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            let mut out = Behind::begin(&File::create(&path).unwrap()).unwrap();
            for piece in bytes.chunks(99_991) {
                out.write_all(piece).unwrap();
            }
            out.finish().unwrap();
            assert!(std::fs::read(&path).unwrap() == bytes, "{len}");
        }
    }

    #[test]
    fn what_the_system_refuses_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "").unwrap();
        // A handle that may not write.
        for len in [1, 2 * BLOCKS * BLOCK_BYTES] {
            let mut out = Behind::begin(&File::open(&path).unwrap()).unwrap();
            let written = out.write_all(&vec![b'a'; len]);
            let error = written.and_then(|()| out.finish()).unwrap_err();
            assert!(error.raw_os_error().is_some(), "{len}: {error:?}");
        }
    }
}

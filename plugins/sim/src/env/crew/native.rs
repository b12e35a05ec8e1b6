//! Threads that live as long as their batch. The caller works along; chunks travel to whoever is
//! free, and back, by value: nothing is shared, allocated or locked for a step but two queues.

use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::super::EnvError;
use super::super::batch::Chunk;
use super::super::draw::Painter;
use super::super::plan::Plan;

/// The most threads of a batch.
const MOST_THREADS: usize = 256;
/// The most chunks on their way.
const MOST_CHUNKS: usize = 4 * MOST_THREADS;
/// How often the caller looks whether the threads it waits for are alive.
const LOOK: Duration = Duration::from_millis(200);

/// The threads.
pub(in crate::env) struct Crew {
    /// Sends and takes chunks to work on; gone once the batch is dropped.
    work: Option<(Sender<Chunk>, Receiver<Chunk>)>,
    done: Receiver<Chunk>,
    handles: Vec<JoinHandle<()>>,
}

impl Crew {
    /// As many threads as asked for, the caller's among them; 0 is one a core.
    pub(in crate::env) fn new(
        plan: &Plan,
        threads: usize,
        worlds: usize,
    ) -> Result<Self, EnvError> {
        let threads = match threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        };
        let threads = threads.min(worlds).min(MOST_THREADS);
        let work = bounded::<Chunk>(MOST_CHUNKS);
        let (finished, done) = bounded::<Chunk>(MOST_CHUNKS);
        let mut handles = Vec::with_capacity(threads);
        for number in 1..threads {
            let (chunks, finished) = (work.1.clone(), finished.clone());
            let mut painter = Painter::new(plan)?;
            let handle = Builder::new()
                .name(format!("env {number}"))
                .spawn(move || {
                    for mut chunk in &chunks {
                        chunk.work(&mut painter);
                        if finished.send(chunk).is_err() {
                            return;
                        }
                    }
                })
                .map_err(|error| EnvError::Thread(format!("could not be started ({error})")))?;
            handles.push(handle);
        }
        Ok(Self {
            work: Some(work),
            done,
            handles,
        })
    }

    /// How many work, the caller among them.
    pub(in crate::env) fn threads(&self) -> usize {
        self.handles.len() + 1
    }

    /// Works on all chunks; they are back in their order afterwards.
    pub(in crate::env) fn run(
        &mut self,
        chunks: &mut Vec<Chunk>,
        painter: &mut Painter,
    ) -> Result<(), EnvError> {
        let Some((send, take)) = self.work.as_ref().filter(|_| !self.handles.is_empty()) else {
            chunks.iter_mut().for_each(|chunk| chunk.work(painter));
            return Ok(());
        };
        let gone = || EnvError::Thread("is gone".to_owned());
        let count = chunks.len();
        for chunk in chunks.drain(..) {
            send.send(chunk).map_err(|_full_of_nobody| gone())?;
        }
        while let Ok(mut chunk) = take.try_recv() {
            chunk.work(painter);
            chunks.push(chunk);
        }
        while chunks.len() < count {
            match self.done.recv_timeout(LOOK) {
                Ok(chunk) => chunks.push(chunk),
                // One that ended took its chunk with it.
                Err(RecvTimeoutError::Timeout)
                    if self.handles.iter().any(JoinHandle::is_finished) =>
                {
                    return Err(gone());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(gone()),
            }
        }
        chunks.sort_unstable_by_key(|chunk| chunk.first());
        Ok(())
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.work = None;
        for handle in self.handles.drain(..) {
            // One that panicked has said so.
            drop(handle.join());
        }
    }
}

//! A pool's worker: does one job at a time, in slices.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{self, Poll, Waker};

use forearm_protocol::{Message, ServiceError};
use web_time::{Duration, Instant};

use crate::answer::Answer;
use crate::context::Context;
use crate::pool::context::{Line, Reply, Slip};
use crate::pool::{JobContext, JobReply, JobRequest, Jobs};
use crate::service::{Nothing, Service, Wake};

/// How often something that a job waits for is looked at, seconds.
const LOOK_EVERY_SECS: f64 = 0.005;

/// Does jobs, one at a time, in the order in which they come.
pub struct JobService<J: Jobs> {
    at_work: Option<Work<J>>,
    waiting: VecDeque<Waiting<J>>,
}

enum Waiting<J: Jobs> {
    Do {
        /// The task's kind, its number, its trace.
        name: (&'static str, u64, u64),
        payload: J::Task,
        answer: Answer<JobReply<J::Output>>,
    },
    Join(Answer<JobReply<J::Output>>),
}

/// A job at work.
struct Work<J: Jobs> {
    slip: Arc<Slip>,
    reply: Arc<Reply<JobReply<J::Output>>>,
    job: Pin<Box<dyn Future<Output = Result<J::Output, ServiceError>> + Send>>,
}

impl<J: Jobs> JobService<J> {
    /// The job at work, or the next one; answers whoever waits for the end of those before.
    fn current(&mut self) -> Option<&mut Work<J>> {
        while self.at_work.is_none() {
            match self.waiting.pop_front()? {
                Waiting::Join(answer) => answer.send(Ok(JobReply::Free)),
                Waiting::Do { answer, .. } if answer.is_cancelled() => drop(answer),
                Waiting::Do {
                    name: (kind, task_id, trace_id),
                    payload,
                    answer,
                } => {
                    let slip = Arc::new(Slip::new(kind, task_id, trace_id));
                    let reply = Arc::new(Reply::new(answer));
                    let line = Arc::clone(&reply) as Arc<dyn Line>;
                    let cx = JobContext::new(Arc::clone(&slip), line);
                    let job = Box::pin(J::run(payload, cx));
                    self.at_work = Some(Work { slip, reply, job });
                }
            }
        }
        self.at_work.as_mut()
    }
}

impl<J: Jobs> Service for JobService<J> {
    type Setup = ();
    type Request = JobRequest<J::Task>;
    type Reply = JobReply<J::Output>;
    type Command = Nothing;
    type Event = Nothing;
    type Input = Nothing;
    type Output = Nothing;

    const NAME: &'static str = J::NAME;
    const HANG_AFTER: Duration = J::PATIENCE;
    const KEEPS_TIME: bool = false;

    fn new((): ()) -> Self {
        Self {
            at_work: None,
            waiting: VecDeque::new(),
        }
    }

    fn ready(&mut self, _: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        Ok(())
    }

    fn request(
        &mut self,
        request: Self::Request,
        answer: Answer<Self::Reply>,
        _: &mut Context<'_, Self>,
    ) {
        let kind = request.name();
        self.waiting.push_back(match request {
            JobRequest::Do {
                task_id,
                trace_id,
                payload,
            } => Waiting::Do {
                name: (kind, task_id, trace_id),
                payload,
                answer,
            },
            JobRequest::Join => Waiting::Join(answer),
        });
    }

    fn command(&mut self, command: Nothing, _: &mut Context<'_, Self>) {
        match command {}
    }

    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake {
        let end = Instant::now() + cx.slice();
        while let Some(work) = self.current() {
            if work.reply.is_cancelled() {
                // Whatever it holds is let go of here.
                self.at_work = None;
                continue;
            }
            work.slip.begin_slice(end);
            let mut looking = task::Context::from_waker(Waker::noop());
            match work.job.as_mut().poll(&mut looking) {
                Poll::Ready(result) => {
                    work.reply.send(JobReply::Ended(result));
                    self.at_work = None;
                }
                Poll::Pending if work.slip.paused() => return Wake::At(cx.now_secs()),
                Poll::Pending => return Wake::At(cx.now_secs() + LOOK_EVERY_SECS),
            }
            if Instant::now() >= end {
                return Wake::At(cx.now_secs());
            }
        }
        Wake::OnMessage
    }

    fn patience(request: &Self::Request) -> Duration {
        match request {
            JobRequest::Do { payload, .. } => J::patience(payload),
            JobRequest::Join => J::PATIENCE,
        }
    }

    fn stopping(&mut self, _: &mut Context<'_, Self>) {
        self.at_work = None;
        self.waiting.clear();
    }
}

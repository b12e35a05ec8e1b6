//! A service that notes everything that happens to it.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::time::Duration;

use forearm_protocol::{Buffer, Message, ServiceError};
use forearm_workers::{Answer, Context, Handle, Host, RestartPolicy, Service, Wake};
use serde::{Deserialize, Serialize};

use super::platform::{Gate, mark};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Ask {
    Echo(u32),
    Log,
    Refuse,
    Panic,
    ThreadName,
    /// Is answered by the `Release` of its number; tells progress at once.
    Defer(u32),
    Release(u32),
    /// Works in slices until it is cancelled.
    Work(u32),
    /// Its answer is dropped.
    Forget,
    /// The frame comes back, each byte one larger.
    Frame {
        first: Buffer,
        second: Buffer,
    },
    /// The frame comes back as it is.
    Return(Buffer),
    /// What a predecessor had it remember.
    Remembered,
    SliceMicros,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Said {
    Number(u32),
    Log(Vec<String>),
    Name(Option<String>),
    Frame(Buffer),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Tell {
    Note(u32),
    Emit { samples: u32, notices: u32 },
    EmitFrame(Buffer),
    Feed(u32),
    FeedFrame(Buffer),
    Remember(u32),
    Panic,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Told {
    Sample(u32),
    Notice(u32),
    Frame(Buffer),
    Remember(u32),
    Begun(u32),
    GaveUp(u32),
    Fed(u32),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Fed {
    Number(u32),
    Frame(Buffer),
}

impl Message for Ask {
    fn name(&self) -> &'static str {
        match self {
            Self::Echo(_) => "probe/echo",
            Self::Log => "probe/log",
            Self::Refuse => "probe/refuse",
            Self::Panic => "probe/panic",
            Self::ThreadName => "probe/thread_name",
            Self::Defer(_) => "probe/defer",
            Self::Release(_) => "probe/release",
            Self::Work(_) => "probe/work",
            Self::Forget => "probe/forget",
            Self::Frame { .. } => "probe/frame",
            Self::Return(_) => "probe/return",
            Self::Remembered => "probe/remembered",
            Self::SliceMicros => "probe/slice_micros",
        }
    }

    fn buffers(&mut self) -> Vec<&mut Buffer> {
        match self {
            Self::Frame { first, second } => vec![first, second],
            Self::Return(frame) => vec![frame],
            _ => Vec::new(),
        }
    }
}

/// Implements `Message` where at most one buffer is in a variant.
macro_rules! message {
    ($kind:ident, $($variant:ident => $name:literal),*; $($frame:ident),*) => {
        impl Message for $kind {
            fn name(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $name),* }
            }
            fn buffers(&mut self) -> Vec<&mut Buffer> {
                match self {
                    $(Self::$frame(frame) => vec![frame],)*
                    _ => Vec::new(),
                }
            }
        }
    };
}
message!(Said, Number => "probe/number", Log => "probe/log", Name => "probe/name",
    Frame => "probe/frame"; Frame);
message!(Tell, Note => "probe/note", Emit => "probe/emit", EmitFrame => "probe/emit_frame",
    Feed => "probe/feed", FeedFrame => "probe/feed_frame", Remember => "probe/remember",
    Panic => "probe/panic"; EmitFrame, FeedFrame);
message!(Told, Sample => "probe/sample", Notice => "probe/notice", Frame => "probe/frame",
    Remember => "probe/remember", Begun => "probe/begun", GaveUp => "probe/gave_up",
    Fed => "probe/fed"; Frame);
message!(Fed, Number => "probe/fed_number", Frame => "probe/fed_frame"; Frame);

/// What a probe is made from.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Its start waits for the gate of this number.
    pub(crate) gate: Option<u64>,
    /// How its start goes.
    pub(crate) start: Start,
    /// Ticks at this period; otherwise on messages only.
    pub(crate) period_secs: Option<f64>,
    /// Leaves a mark of this number for each start.
    pub(crate) started: Option<u64>,
    /// Leaves a mark of this number when it is told that it ends.
    pub(crate) stopping: Option<u64>,
    /// The last number that a predecessor told.
    pub(crate) remembered: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) enum Start {
    #[default]
    Fine,
    Fails,
    PanicsWhenMade,
    PanicsGettingReady,
    NeverEnds,
}

/// What kinds of probes differ in.
pub(crate) trait Nature: Send + 'static {
    const NAME: &'static str;
    const START_TIMEOUT: Duration;
    const HANG_AFTER: Duration;
}

/// Is given a lot of time.
pub(crate) struct Calm;
/// Counts as hung soon.
pub(crate) struct Hasty;

impl Nature for Calm {
    const NAME: &'static str = "probe";
    const START_TIMEOUT: Duration = Duration::from_secs(30);
    const HANG_AFTER: Duration = Duration::from_secs(10);
}

impl Nature for Hasty {
    const NAME: &'static str = "hasty";
    const START_TIMEOUT: Duration = Duration::from_millis(800);
    const HANG_AFTER: Duration = Duration::from_millis(800);
}

pub(crate) struct Probe<N: Nature = Calm> {
    setup: Setup,
    log: Vec<String>,
    deferred: BTreeMap<u32, Answer<Said>>,
    at_work: Vec<(u32, Answer<Said>)>,
    nature: PhantomData<N>,
}

impl<N: Nature> Service for Probe<N> {
    type Setup = Setup;
    type Request = Ask;
    type Reply = Said;
    type Command = Tell;
    type Event = Told;
    type Input = Fed;
    type Output = Fed;
    const NAME: &'static str = N::NAME;
    const START_TIMEOUT: Duration = N::START_TIMEOUT;
    const HANG_AFTER: Duration = N::HANG_AFTER;

    fn new(setup: Setup) -> Self {
        assert!(setup.start != Start::PanicsWhenMade, "no parts");
        Self {
            setup,
            log: Vec::new(),
            deferred: BTreeMap::new(),
            at_work: Vec::new(),
            nature: PhantomData,
        }
    }

    fn ready(&mut self, cx: &mut Context<'_, Self>) -> Result<(), ServiceError> {
        cx.progress("warming up", 0.5);
        if let Some(gate) = self.setup.gate {
            Gate(gate).pass();
        }
        self.note("ready");
        if let Some(number) = self.setup.started {
            mark(number);
        }
        match self.setup.start {
            Start::Fails => Err(ServiceError::Start {
                service: N::NAME.to_owned(),
                why: "no luck".to_owned(),
            }),
            Start::PanicsGettingReady => panic!("no patience"),
            Start::NeverEnds => loop {
                std::hint::spin_loop();
                #[cfg(not(target_family = "wasm"))]
                std::thread::park();
            },
            Start::Fine | Start::PanicsWhenMade => Ok(()),
        }
    }

    fn request(&mut self, ask: Ask, answer: Answer<Said>, cx: &mut Context<'_, Self>) {
        let said = match ask {
            Ask::Echo(number) => {
                self.note(format!("echo {number}"));
                Said::Number(number)
            }
            Ask::Log => Said::Log(self.log.clone()),
            Ask::Refuse => {
                return answer.send(Err(ServiceError::Refused {
                    what: "this".to_owned(),
                    why: "it is a test".to_owned(),
                    next: "go on".to_owned(),
                }));
            }
            Ask::Panic => panic!("asked to panic"),
            Ask::ThreadName => Said::Name(std::thread::current().name().map(str::to_owned)),
            Ask::Defer(number) => {
                self.note(format!("defer {number}"));
                answer.progress("on its way", f64::from(number) / 10.0);
                self.deferred.insert(number, answer);
                return;
            }
            Ask::Release(number) => {
                if let Some(deferred) = self.deferred.remove(&number) {
                    deferred.send(Ok(Said::Number(number)));
                }
                Said::Number(number)
            }
            Ask::Work(number) => {
                cx.emit(Told::Begun(number));
                self.at_work.push((number, answer));
                return;
            }
            // Dropped with its answer.
            Ask::Forget => return,
            Ask::Frame { first, second } => {
                let bytes = first.into_vec().into_iter().chain(second.into_vec());
                let next: Vec<u8> = bytes.map(|byte| byte.wrapping_add(1)).collect();
                Said::Frame(next.into())
            }
            Ask::Return(frame) => Said::Frame(frame),
            Ask::Remembered => Said::Number(self.setup.remembered),
            Ask::SliceMicros => {
                Said::Number(u32::try_from(cx.slice().as_micros()).unwrap_or(u32::MAX))
            }
        };
        answer.send(Ok(said));
    }

    fn command(&mut self, tell: Tell, cx: &mut Context<'_, Self>) {
        match tell {
            Tell::Note(number) => self.note(format!("note {number}")),
            Tell::Emit { samples, notices } => {
                for number in 0..samples.max(notices) {
                    if number < notices {
                        cx.emit(Told::Notice(number));
                    }
                    if number < samples {
                        cx.emit(Told::Sample(number));
                    }
                }
            }
            Tell::EmitFrame(frame) => cx.emit(Told::Frame(frame)),
            Tell::Feed(number) => self.feed(&Fed::Number(number), cx),
            Tell::FeedFrame(frame) => self.feed(&Fed::Frame(frame), cx),
            Tell::Remember(number) => cx.emit(Told::Remember(number)),
            Tell::Panic => panic!("told to panic"),
        }
    }

    fn input(&mut self, fed: Fed, cx: &mut Context<'_, Self>) {
        match fed {
            Fed::Number(number) => {
                self.note(format!("fed {number}"));
                cx.emit(Told::Fed(number));
            }
            Fed::Frame(frame) => cx.emit(Told::Frame(frame)),
        }
    }

    fn tick(&mut self, cx: &mut Context<'_, Self>) -> Wake {
        let (given_up, at_work) = std::mem::take(&mut self.at_work)
            .into_iter()
            .partition(|(_, answer)| answer.is_cancelled());
        self.at_work = at_work;
        let given_up: Vec<(u32, Answer<Said>)> = given_up;
        for (number, _) in given_up {
            cx.emit(Told::GaveUp(number));
        }
        if !self.at_work.is_empty() {
            return Wake::At(cx.now_secs());
        }
        let Some(period) = self.setup.period_secs else {
            return Wake::OnMessage;
        };
        self.note(format!("tick {:.3}", cx.now_secs()));
        Wake::At(cx.now_secs() + period)
    }

    fn stopping(&mut self, _: &mut Context<'_, Self>) {
        if let Some(number) = self.setup.stopping {
            mark(number);
        }
    }

    fn may_drop(event: &Told) -> bool {
        matches!(event, Told::Sample(_))
    }

    fn remember(setup: &mut Setup, event: &Told) {
        if let Told::Remember(number) = event {
            setup.remembered = *number;
        }
    }
}

impl<N: Nature> Probe<N> {
    fn note(&mut self, what: impl Into<String>) {
        // One that ticks for long would fill the memory.
        if self.log.len() < 1000 {
            self.log.push(what.into());
        }
    }

    fn feed(&mut self, fed: &Fed, cx: &mut Context<'_, Self>) {
        if let Err(error) = cx.feed(fed) {
            self.note(format!("not fed: {error}"));
        }
    }
}

/// A probe that a crash ends.
pub(crate) fn spawn(setup: Setup, host: Host) -> Handle<Probe> {
    forearm_workers::spawn(setup, host)
}

/// A probe that is started again soon, three times.
pub(crate) fn supervise<N: Nature>(setup: Setup, host: Host) -> Handle<Probe<N>> {
    let policy = RestartPolicy {
        backoff: Duration::from_millis(20),
        longest_backoff: Duration::from_millis(50),
        most: 3,
        within: Duration::from_secs(600),
    };
    forearm_workers::supervise(setup, host, policy)
}

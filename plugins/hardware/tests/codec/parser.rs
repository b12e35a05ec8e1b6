//! The parser against chance: round trips in pieces, garbage of every kind, and bytes without sense.

use forearm_hardware::codec::{Direction, Instruction, PacketBuf, Parser, StatusBits};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, PartialEq, Eq)]
struct Owned {
    id: u8,
    code: u8,
    params: Vec<u8>,
}

impl Owned {
    fn bytes(&self) -> Vec<u8> {
        let mut packet = PacketBuf::new();
        // A reply and a request differ in nothing but their code.
        packet
            .status(self.id, StatusBits(self.code), &self.params)
            .expect("short enough")
            .to_vec()
    }
}

fn parse_pieces(direction: Direction, stream: &[u8], pieces: &[usize]) -> (Vec<Owned>, Parser) {
    let mut parser = Parser::new(direction);
    let mut frames = Vec::new();
    let mut rest = stream;
    let mut sizes = pieces.iter().copied().cycle();
    while !rest.is_empty() {
        let size = sizes.next().unwrap_or(rest.len()).clamp(1, rest.len());
        parser.feed(&rest[..size], |frame| {
            frames.push(Owned {
                id: frame.id,
                code: frame.code,
                params: frame.params.to_vec(),
            });
        });
        rest = &rest[size..];
    }
    (frames, parser)
}

/// Parameters without two `FF` in a row, at an end one neither: no packet can hide in them.
fn plain(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0..=0xFE_u8, 0..=longest)
}

fn reply() -> impl Strategy<Value = Owned> {
    (0..=0xFC_u8, 0..=0x7F_u8, plain(40)).prop_map(|(id, code, params)| Owned { id, code, params })
}

fn request() -> impl Strategy<Value = Owned> {
    let codes = [
        Instruction::Ping,
        Instruction::Read,
        Instruction::Write,
        Instruction::RegWrite,
        Instruction::Action,
        Instruction::SyncRead,
        Instruction::SyncWrite,
    ];
    let id = prop_oneof![0..=0xFC_u8, Just(0xFE_u8)];
    (id, prop::sample::select(codes.to_vec()), plain(244)).prop_map(|(id, code, params)| Owned {
        id,
        code: code as u8,
        params,
    })
}

fn pieces() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..600_usize, 1..8)
}

/// Starts of packets that never end: a header that fits everything, and a length that lies.
fn lying_header() -> impl Strategy<Value = Vec<u8>> {
    (0..=0xFC_u8, 200..=250_u8, 0..=5_u8, plain(20)).prop_map(|(id, length, code, params)| {
        let mut bytes = vec![0xFF, 0xFF, id, length, code];
        bytes.extend(params);
        bytes
    })
}

proptest! {
    #[test]
    fn replies_survive(sent in prop::collection::vec(reply(), 0..30), pieces in pieces()) {
        let stream: Vec<u8> = sent.iter().flat_map(Owned::bytes).collect();
        let (got, parser) = parse_pieces(Direction::Replies, &stream, &pieces);
        prop_assert_eq!(got, sent);
        prop_assert_eq!(parser.errors(), Default::default());
        prop_assert_eq!(parser.pending(), 0);
    }

    #[test]
    fn requests_survive(sent in prop::collection::vec(request(), 0..10), pieces in pieces()) {
        let stream: Vec<u8> = sent.iter().flat_map(Owned::bytes).collect();
        let (got, parser) = parse_pieces(Direction::Requests, &stream, &pieces);
        prop_assert_eq!(got, sent);
        prop_assert_eq!(parser.errors(), Default::default());
    }

    /// Garbage of single bytes, also the first ones of a header: every packet is found, and every
    /// byte of garbage is counted.
    #[test]
    fn garbage_is_skipped_and_counted(
        sent in prop::collection::vec((plain(300), 0..4_usize, reply()), 1..10),
        pieces in pieces(),
    ) {
        let mut stream = Vec::new();
        let mut skipped = 0;
        for (garbage, headers, packet) in &sent {
            stream.extend(garbage);
            stream.extend(vec![0xFF; *headers]);
            stream.extend(packet.bytes());
            skipped += (garbage.len() + headers) as u64;
        }
        let (got, parser) = parse_pieces(Direction::Replies, &stream, &pieces);
        let sent: Vec<_> = sent.into_iter().map(|(_, _, packet)| packet).collect();
        prop_assert_eq!(got, sent);
        prop_assert_eq!(parser.errors().skipped_bytes, skipped);
        prop_assert_eq!(parser.errors().checksum, 0);
    }

    /// A header whose length reaches far beyond what follows holds nothing back: the packet behind
    /// it comes out with its last byte.
    #[test]
    fn a_lying_header_holds_nothing_back(
        lie in lying_header(),
        packet in reply(),
        pieces in pieces(),
    ) {
        let mut stream = lie.clone();
        stream.extend(packet.bytes());
        let (got, parser) = parse_pieces(Direction::Replies, &stream, &pieces);
        prop_assert_eq!(got, vec![packet]);
        prop_assert_eq!(parser.errors().skipped_bytes, lie.len() as u64);
    }

    /// A long run of packets behind a lie: all of them come out, none twice. A false packet may by
    /// chance have a right checksum; then nothing can be said.
    #[test]
    fn a_lie_costs_no_packet_behind_it(
        lie in lying_header(),
        packet in reply(),
        pieces in pieces(),
    ) {
        let mut stream = lie;
        for _ in 0..60 {
            stream.extend(packet.bytes());
        }
        let (got, _) = parse_pieces(Direction::Replies, &stream, &pieces);
        let chance = got.iter().any(|frame| frame != &packet);
        prop_assume!(!chance);
        prop_assert_eq!(got.len(), 60);
    }

    /// One changed byte costs its own packet and none else.
    #[test]
    fn a_corrupt_packet_costs_only_itself(
        sent in prop::collection::vec(reply(), 3..10),
        which in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        change in 1..=255_u8,
    ) {
        let which = which.index(sent.len());
        let mut stream = Vec::new();
        for (index, packet) in sent.iter().enumerate() {
            let mut bytes = packet.bytes();
            if index == which {
                let place = place.index(bytes.len());
                bytes[place] ^= change;
            }
            stream.extend(bytes);
        }
        let (got, _) = parse_pieces(Direction::Replies, &stream, &[]);
        let mut expected = sent.clone();
        expected.remove(which);
        // What is left of the corrupt one may by chance be another good packet.
        prop_assume!(got.iter().all(|frame| sent.contains(frame)));
        prop_assert_eq!(got, expected);
    }
}

/// Any bytes, with many headers among them, in any pieces: no panic, and every byte is either in a
/// packet, skipped or still pending. `FOREARM_FUZZ_SECS` makes it run for that long.
#[test]
fn any_bytes_are_survived() {
    let seconds = std::env::var("FOREARM_FUZZ_SECS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let byte = prop_oneof![4 => any::<u8>(), 3 => Just(0xFF_u8), 2 => 0..8_u8, 1 => 240..=254_u8];
    let direction = prop_oneof![Just(Direction::Replies), Just(Direction::Requests)];
    let input = (direction, prop::collection::vec(byte, 0..1500), pieces());
    let mut rounds = 0_u64;
    let mut found = 0_u64;
    loop {
        let mut runner = TestRunner::new(Config {
            cases: 2000,
            failure_persistence: None,
            ..Config::default()
        });
        runner
            .run(&input, |(direction, stream, pieces)| {
                let (frames, mut parser) = parse_pieces(direction, &stream, &pieces);
                let good: usize = frames.iter().map(|frame| frame.params.len() + 6).sum();
                let skipped = parser.errors().skipped_bytes as usize;
                prop_assert_eq!(good + skipped + parser.pending(), stream.len());
                prop_assert!(parser.pending() < 254);
                parser.clear();
                prop_assert_eq!(parser.pending(), 0);
                // A good packet comes out even now, and as it was.
                let packet = Owned {
                    id: 7,
                    code: 1,
                    params: vec![1, 2, 3],
                };
                let (mut parser, mut got) = (parser, Vec::new());
                parser.feed(&packet.bytes(), |frame| got.push(frame.params.to_vec()));
                prop_assert_eq!(got, vec![packet.params]);
                Ok(())
            })
            .expect("bytes that break the parser");
        rounds += 1;
        found += 2000;
        if Instant::now() >= deadline {
            break;
        }
    }
    assert!(rounds > 0 && found > 0);
    if seconds > 0 {
        // Shown with `--nocapture`: the record of a long run.
        eprintln!("{found} streams parsed in {seconds} s without a panic");
    }
}

//! H.264 as MP4 has it (ISO/IEC 14496-15): NAL units with their length in front, and the decoder
//! configuration record (`avcC`) with the parameter sets. Encoders and decoders beside MP4 want
//! start codes instead (Annex B).

use super::CodecError;

/// Kinds of NAL units (H.264, table 7-1).
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const START_CODE: [u8; 4] = [0, 0, 0, 1];
/// Profiles whose record ends with the chroma format and bit depths.
const HIGH_PROFILES: [u8; 4] = [100, 110, 122, 144];

/// The parameter sets of a stream, as they were seen last, without start codes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ParameterSets {
    sps: Vec<u8>,
    pps: Vec<u8>,
}

impl ParameterSets {
    /// Sorts one NAL unit of an encoder's output: parameter sets are kept here, everything else
    /// goes behind `packet` with its length in front. Answers whether it is part of a key frame.
    pub(crate) fn sort(&mut self, nal: &[u8], packet: &mut Vec<u8>) -> bool {
        let nal = without_start_code(nal);
        let Some(kind) = nal.first().map(|byte| byte & 0x1f) else {
            return false;
        };
        match kind {
            NAL_SPS => keep(&mut self.sps, nal),
            NAL_PPS => keep(&mut self.pps, nal),
            _ => {
                let Ok(length) = u32::try_from(nal.len()) else {
                    return false;
                };
                packet.extend_from_slice(&length.to_be_bytes());
                packet.extend_from_slice(nal);
            }
        }
        kind == NAL_IDR
    }

    /// The decoder configuration record; `None` before both sets were seen.
    pub(crate) fn description(&self) -> Option<Vec<u8>> {
        let (&[_, profile, compatibility, level, ..], false) =
            (self.sps.as_slice(), self.pps.is_empty())
        else {
            return None;
        };
        let mut record = vec![1, profile, compatibility, level, 0xff, 0xe1];
        record.extend_from_slice(&u16::try_from(self.sps.len()).ok()?.to_be_bytes());
        record.extend_from_slice(&self.sps);
        record.push(1);
        record.extend_from_slice(&u16::try_from(self.pps.len()).ok()?.to_be_bytes());
        record.extend_from_slice(&self.pps);
        if HIGH_PROFILES.contains(&profile) {
            // 4:2:0, 8 bits, no extensions.
            record.extend_from_slice(&[0xfd, 0xf8, 0xf8, 0]);
        }
        Some(record)
    }
}

/// What a decoder needs of a decoder configuration record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    /// Bytes of the length in front of each NAL unit: 1, 2 or 4.
    length_bytes: usize,
    /// The parameter sets, with start codes.
    pub(crate) parameter_sets: Vec<u8>,
}

impl Description {
    /// Reads a record.
    ///
    /// # Errors
    /// [`CodecError::Description`]: cut short, of an unknown version, without parameter sets.
    pub(crate) fn read(record: &[u8]) -> Result<Self, CodecError> {
        let bad = |what: &str| CodecError::Description(what.to_owned());
        let (&[version, _, _, _, lengths, _], _) = record
            .split_first_chunk::<6>()
            .ok_or_else(|| bad("it is shorter than 6 bytes"))?;
        if version != 1 {
            return Err(bad(&format!(
                "its version is {version}; expected 1 (ISO/IEC 14496-15)"
            )));
        }
        let mut parameter_sets = Vec::new();
        let mut rest = &record[5..];
        for kind in ["sequence", "picture"] {
            let (&count, behind) = rest.split_first().ok_or_else(|| bad("it is cut short"))?;
            rest = behind;
            // The upper bits of the first count are reserved.
            let count = count & 0x1f;
            if count == 0 {
                return Err(bad(&format!("it has no {kind} parameter set")));
            }
            for _ in 0..count {
                let set;
                (set, rest) = split_nal(rest, 2).ok_or_else(|| bad("it is cut short"))?;
                parameter_sets.extend_from_slice(&START_CODE);
                parameter_sets.extend_from_slice(set);
            }
        }
        Ok(Self {
            length_bytes: usize::from(lengths & 3) + 1,
            parameter_sets,
        })
    }

    /// Appends a sample's NAL units to `stream`, with start codes. Answers whether it is a key
    /// frame.
    ///
    /// # Errors
    /// [`CodecError::Sample`]: a length points behind the end.
    pub(crate) fn append(&self, sample: &[u8], stream: &mut Vec<u8>) -> Result<bool, CodecError> {
        let mut rest = sample;
        let mut key = false;
        while !rest.is_empty() {
            let nal;
            (nal, rest) = split_nal(rest, self.length_bytes).ok_or_else(|| {
                CodecError::Sample("a length in it points behind its end".to_owned())
            })?;
            key |= nal.first().is_some_and(|byte| byte & 0x1f == NAL_IDR);
            stream.extend_from_slice(&START_CODE);
            stream.extend_from_slice(nal);
        }
        Ok(key)
    }
}

fn keep(set: &mut Vec<u8>, nal: &[u8]) {
    if set != nal {
        nal.clone_into(set);
    }
}

fn without_start_code(nal: &[u8]) -> &[u8] {
    let zeros = nal.iter().take_while(|byte| **byte == 0).count();
    match nal.get(zeros) {
        Some(1) if zeros >= 2 => &nal[zeros + 1..],
        _ => nal,
    }
}

/// The NAL unit whose length stands in front, and what is behind it.
fn split_nal(bytes: &[u8], length_bytes: usize) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(length_bytes)?;
    let length = length
        .iter()
        .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPS: [u8; 5] = [0x67, 66, 0xc0, 30, 0x9a];
    const PPS: [u8; 3] = [0x68, 0xce, 0x3c];

    fn sets() -> (ParameterSets, Vec<u8>) {
        let mut sets = ParameterSets::default();
        let mut packet = Vec::new();
        for nal in [&[0, 0, 0, 1][..], &[0, 0, 1]] {
            assert!(!sets.sort(&[nal, &SPS].concat(), &mut packet));
            assert!(!sets.sort(&[nal, &PPS].concat(), &mut packet));
        }
        assert!(packet.is_empty(), "parameter sets are not in packets");
        assert!(sets.sort(&[0, 0, 0, 1, 0x65, 7, 0, 0], &mut packet));
        assert!(!sets.sort(&[0, 0, 1, 0x61, 9], &mut packet));
        (sets, packet)
    }

    #[test]
    fn packets_and_their_description_read_back() {
        let (sets, packet) = sets();
        assert_eq!(packet, [0, 0, 0, 4, 0x65, 7, 0, 0, 0, 0, 0, 2, 0x61, 9]);
        let record = sets.description().expect("both sets were seen");
        let description = Description::read(&record).expect("a good record");
        let sps = [&START_CODE[..], &SPS, &START_CODE, &PPS].concat();
        assert_eq!(description.parameter_sets, sps);
        let mut stream = Vec::new();
        assert!(description.append(&packet, &mut stream).expect("a sample"));
        assert_eq!(stream, [0, 0, 0, 1, 0x65, 7, 0, 0, 0, 0, 0, 1, 0x61, 9]);
        assert_eq!(ParameterSets::default().description(), None);
    }

    #[test]
    fn high_profiles_tell_their_chroma_format() {
        let mut sets = ParameterSets::default();
        sets.sort(&[0x67, 100, 0, 30], &mut Vec::new());
        sets.sort(&PPS, &mut Vec::new());
        let record = sets.description().expect("both sets were seen");
        assert!(record.ends_with(&[0xfd, 0xf8, 0xf8, 0]));
    }

    proptest! {
        #[test]
        fn damaged_input_is_an_error_and_no_panic(
            cut in 0_usize..40,
            change in 0_usize..40,
            with: u8,
            sample in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let (sets, packet) = sets();
            let mut record = sets.description().expect("both sets were seen");
            record.truncate(cut);
            if let Some(byte) = record.get_mut(change) {
                *byte = with;
            }
            if let Ok(description) = Description::read(&record) {
                description.append(&sample, &mut Vec::new()).ok();
                description.append(&packet, &mut Vec::new()).ok();
            }
        }
    }
}

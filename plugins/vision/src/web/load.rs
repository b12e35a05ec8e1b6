//! How much of its time a thread spends with drawing, and how many pictures it leaves out for that.
//!
//! In a browser simulated cameras are drawn where everything else is done, too. A service that did
//! nothing but draw would neither read its real cameras nor take what was encoded.

/// The part of the time that may go into drawing.
const MOST: f64 = 0.6;
/// How long is measured before anything is changed, seconds.
const SPAN_SECS: f64 = 0.5;
/// At least every so-manieth picture is drawn.
const SPARSEST: u64 = 8;

/// What drawing costs this thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    since_secs: Option<f64>,
    drawing_secs: f64,
    /// Every so-manieth picture is drawn.
    every: u64,
}

impl Load {
    pub(crate) const fn new() -> Self {
        Self {
            since_secs: None,
            drawing_secs: 0.0,
            every: 1,
        }
    }

    /// Whether a camera's picture of this number is drawn.
    pub(crate) fn has_room(&self, number: u64) -> bool {
        number.is_multiple_of(self.every)
    }

    /// A picture was drawn from one moment to another, seconds.
    pub(crate) fn drew(&mut self, from_secs: f64, to_secs: f64) {
        let since_secs = *self.since_secs.get_or_insert(from_secs);
        self.drawing_secs += to_secs - from_secs;
        let span_secs = to_secs - since_secs;
        if span_secs < SPAN_SECS {
            return;
        }
        let load = self.drawing_secs / span_secs;
        let every = self.every as f64;
        if load > MOST {
            self.every = (self.every + 1).min(SPARSEST);
        } else if self.every > 1 && load * every / (every - 1.0) < 0.9 * MOST {
            self.every -= 1;
        }
        self.since_secs = Some(to_secs);
        self.drawing_secs = 0.0;
    }
}

#[cfg(test)]
mod tests {
    use super::Load;

    /// Lets two cameras of 30 Hz draw for some seconds, `cost` seconds a picture; how many were drawn of
    /// each in the last one.
    fn rate(load: &mut Load, start: f64, cost: f64) -> u32 {
        let mut drawn = 0;
        for number in 0..300_u64 {
            let mut now = start + number as f64 / 30.0;
            for _camera in 0..2 {
                if load.has_room(number) {
                    load.drew(now, now + cost);
                    now += cost;
                    drawn += u32::from(number >= 270);
                }
            }
        }
        drawn / 2
    }

    #[test]
    fn what_is_cheap_is_drawn_always_and_what_is_not_sometimes() {
        let mut load = Load::new();
        assert_eq!(rate(&mut load, 0.0, 0.004), 30);
        let dear = rate(&mut load, 100.0, 0.014);
        assert!((10..=15).contains(&dear), "{dear}");
        let dearer = rate(&mut load, 200.0, 0.1);
        assert!((1..=5).contains(&dearer), "{dearer}");
        assert_eq!(rate(&mut load, 300.0, 0.002), 30);
    }
}

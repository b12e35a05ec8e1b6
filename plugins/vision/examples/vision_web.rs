//! A camera, an encoder and a decoder in a page of their own: what the tests in the browser check
//! without the record service. Only for the browser; natively it does nothing.

fn main() {}

#[cfg(target_family = "wasm")]
#[expect(unreachable_pub, reason = "JavaScript reaches it")]
mod web {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use forearm_protocol::record::{CameraConfig, CameraHealth, CameraSource};
    use forearm_vision::codec::{Decoder, Encoder, Packet, Stream};
    use forearm_vision::web::Listing;
    use forearm_vision::{Camera, Frame, Pace, read_number};
    use wasm_bindgen::JsError;
    use wasm_bindgen::prelude::wasm_bindgen;

    const FPS: u32 = 30;
    const QUALITY: u8 = 23;

    /// Opens cameras for this page's services; with `by_video` out of a `<video>`.
    #[wasm_bindgen]
    pub fn offer(by_video: bool) {
        forearm_vision::web::offer(by_video);
    }

    /// The cameras that the page knows.
    #[wasm_bindgen]
    pub struct Cameras(Listing);

    #[wasm_bindgen]
    impl Cameras {
        /// Asks for them.
        #[wasm_bindgen(constructor)]
        #[must_use]
        #[expect(clippy::new_without_default, reason = "it is not a value but an act")]
        pub fn new() -> Self {
            Self(Listing::begin())
        }

        /// What there is, `id`, label and number of modes behind each other, once it is known.
        ///
        /// # Errors
        /// What the browser says.
        pub fn poll(&mut self) -> Result<Option<Vec<String>>, JsError> {
            let Some(answer) = self.0.poll() else {
                return Ok(None);
            };
            let cameras = answer.map_err(|why| JsError::new(&why))?;
            let told = cameras.into_iter().flat_map(|camera| {
                let CameraSource::Device(id) = camera.source else {
                    return Vec::new();
                };
                vec![id, camera.label, camera.modes.len().to_string()]
            });
            Ok(Some(told.collect()))
        }
    }

    /// A camera whose frames are encoded and decoded again.
    #[wasm_bindgen]
    pub struct Reel {
        camera: Camera,
        encoder: Option<Encoder>,
        decoder: Option<Decoder>,
        /// What could not be pushed yet.
        waiting: Option<Frame>,
        rows: u32,
        numbers: BTreeMap<u32, u64>,
        samples: Vec<Packet>,
        stamps: Vec<f64>,
        pictures: u32,
        wrong: Vec<String>,
    }

    #[wasm_bindgen]
    impl Reel {
        /// Opens a camera: `pattern`, or a `deviceId`, empty for the browser's default.
        ///
        /// # Errors
        /// It can't be had.
        #[wasm_bindgen(constructor)]
        pub fn new(source: &str, width: u32, height: u32) -> Result<Self, JsError> {
            let source = match source {
                "pattern" => CameraSource::Pattern,
                device => CameraSource::Device(device.to_owned()),
            };
            let config = CameraConfig {
                name: "camera".to_owned(),
                source,
                resolution: Some([width, height]),
            };
            let now = Arc::new(|| js_sys::Date::now() / 1e3);
            Ok(Self {
                camera: Camera::open(&config, None, now, Pace::Live)?,
                encoder: None,
                decoder: None,
                waiting: None,
                rows: 0,
                numbers: BTreeMap::new(),
                samples: Vec::new(),
                stamps: Vec::new(),
                pictures: 0,
                wrong: Vec::new(),
            })
        }

        /// Takes what is there, and hands it on: up to `rows` frames.
        ///
        /// # Errors
        /// The encoder or decoder can't be had.
        pub fn turn(&mut self, rows: u32) -> Result<(), JsError> {
            while let Some(frame) = self.waiting.take().or_else(|| self.camera.try_frame()) {
                if self.rows >= rows {
                    self.camera.recycle(frame);
                    continue;
                }
                if self.encoder.is_none() {
                    self.encoder = Some(Encoder::new(frame.size, FPS, QUALITY, Pace::Live)?);
                }
                let Some(encoder) = &mut self.encoder else {
                    continue;
                };
                let (secs, number) = (frame.captured_secs, frame.number);
                match encoder.push(self.rows, frame) {
                    Ok(()) => {
                        self.stamps.push(secs);
                        self.numbers.insert(self.rows, number);
                        self.rows += 1;
                        // One more of the same, as for a camera that is slow.
                        if self.rows == 4 && encoder.again(self.rows) {
                            self.numbers.insert(self.rows, number);
                            self.rows += 1;
                        }
                        if self.rows >= rows {
                            encoder.finish();
                        }
                    }
                    Err(busy) => {
                        self.waiting = Some(busy.0);
                        break;
                    }
                }
            }
            self.take()
        }

        fn take(&mut self) -> Result<(), JsError> {
            let Some(encoder) = &mut self.encoder else {
                return Ok(());
            };
            while let Some(packet) = encoder.poll() {
                match packet {
                    Ok(packet) => {
                        if self.decoder.is_none() {
                            let record = encoder.description().unwrap_or_default().to_vec();
                            self.decoder = Some(Decoder::new(&Stream::H264(record))?);
                        }
                        if let Some(decoder) = &mut self.decoder
                            && let Err(error) = decoder.push(packet.row, &packet.bytes)
                        {
                            self.wrong.push(error.to_string());
                        }
                        self.samples.push(packet);
                    }
                    Err(error) => self.wrong.push(error.to_string()),
                }
            }
            while let Some(frame) = encoder.reclaim() {
                self.camera.recycle(frame);
            }
            let Some(decoder) = &mut self.decoder else {
                return Ok(());
            };
            while let Some(picture) = decoder.poll() {
                match picture {
                    Ok(picture) => {
                        let read = read_number(picture.size, &picture.rgb);
                        let pushed = self.numbers.get(&picture.row).copied();
                        let is_pattern = *self.camera.config()
                            == CameraConfig {
                                source: CameraSource::Pattern,
                                ..self.camera.config().clone()
                            };
                        if is_pattern && read != pushed {
                            self.wrong
                                .push(format!("row {}: {read:?}, not {pushed:?}", picture.row));
                        }
                        self.pictures += 1;
                        decoder.recycle(picture);
                    }
                    Err(error) => self.wrong.push(error.to_string()),
                }
            }
            Ok(())
        }

        /// What held back comes out.
        ///
        /// # Errors
        /// The decoder fails.
        pub fn finish(&mut self) -> Result<(), JsError> {
            if let Some(decoder) = &mut self.decoder {
                decoder.finish()?;
            }
            Ok(())
        }

        /// How it stands: health, frames taken, packets, key frames among them, packets whose row is
        /// even and that are no key frames, pictures, width, height, drops.
        #[must_use]
        pub fn state(&self) -> String {
            let state = self.camera.state();
            let health = match &state.health {
                CameraHealth::Opening => "opening".to_owned(),
                CameraHealth::Live => "live".to_owned(),
                CameraHealth::Frozen => "frozen".to_owned(),
                CameraHealth::Lost(why) => format!("lost: {why}"),
            };
            let keys = self.samples.iter().filter(|packet| packet.key).count();
            let odd = self
                .samples
                .iter()
                .filter(|packet| packet.key != packet.row.is_multiple_of(2))
                .count();
            let bytes: usize = self.samples.iter().map(|packet| packet.bytes.len()).sum();
            format!(
                "{{\"health\": {health:?}, \"rows\": {}, \"packets\": {}, \"keys\": {keys}, \
                 \"odd\": {odd}, \"pictures\": {}, \"size\": {:?}, \"dropped\": {}, \"rate\": {}, \
                 \"bytes\": {bytes}}}",
                self.rows,
                self.samples.len(),
                self.pictures,
                state.resolution,
                state.dropped,
                state.rate_hz,
            )
        }

        /// When frames were taken, seconds on the shared clock.
        #[must_use]
        pub fn stamps(&self) -> Vec<f64> {
            self.stamps.clone()
        }

        /// What went wrong.
        #[must_use]
        pub fn wrong(&self) -> Vec<String> {
            self.wrong.clone()
        }
    }
}

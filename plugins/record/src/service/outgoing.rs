//! A dataset goes out: packed into a ZIP archive, or to a hub, slice by slice.

use forearm_protocol::ServiceError;
use forearm_protocol::record::{Event, Reply, UploadConfig};
use forearm_workers::Answer;

use super::reading::nothing_open;
use super::{Cx, RecordService, refused};
use crate::export::Export;
use crate::store::Shelf;
use crate::upload::{self, HttpUpload};

/// Why a dataset is not changed while it goes out, and what to do: its files are being read.
pub(super) const GOING_OUT: (&str, &str) = (
    "the dataset is being exported or uploaded",
    "wait for its end, or cancel it",
);

/// An upload under way.
pub(super) struct Upload {
    upload: HttpUpload,
    store: Shelf,
    answer: Answer<Reply>,
    /// When it is to be looked at again.
    again_at_secs: f64,
    told: f64,
}

impl RecordService {
    /// Whether the dataset's files are being read out.
    pub(super) fn is_going_out(&self) -> bool {
        self.export.is_some() || self.upload.is_some()
    }

    /// Whether the dataset may be changed as far as that goes.
    pub(super) fn may_change(&self, what: &str) -> Result<(), ServiceError> {
        match self.is_going_out() {
            true => Err(refused(what, GOING_OUT.0, GOING_OUT.1)),
            false => Ok(()),
        }
    }

    pub(super) fn begin_export(
        &mut self,
        file: Option<&str>,
        window_bytes: u32,
        answer: Answer<Reply>,
    ) {
        let what = "exporting the dataset";
        if let Err(error) = self.may_change(what) {
            return answer.send(Err(error));
        }
        if self.is_recording() {
            let why = "an episode is in hand, or begins by itself";
            return answer.send(Err(refused(what, why, "end the recording first")));
        }
        let Some(desk) = &self.desk else {
            return answer.send(Err(nothing_open(what)));
        };
        match Export::begin(desk.store.clone(), file, window_bytes) {
            Ok(export) => self.export = Some(export.for_whom(answer)),
            Err(error) => answer.send(Err(refused(what, error, "try again"))),
        }
    }

    /// Goes on exporting.
    pub(super) fn attend_export(&mut self, cx: &mut Cx<'_>) {
        let slice = cx.slice();
        let clock = cx.clock().clone();
        let until_secs = clock.now_secs() + slice.as_secs_f64();
        let Some(export) = &mut self.export else {
            return;
        };
        let ended = export.go_on(&mut |event| cx.emit(event), &mut || {
            clock.now_secs() >= until_secs
        });
        if ended && let Some(export) = self.export.take() {
            export.end();
        }
    }

    pub(super) fn begin_upload(&mut self, config: &UploadConfig, answer: Answer<Reply>) {
        let what = "uploading the dataset";
        let store = match self.changeable(what) {
            Ok(desk) => desk.store.clone(),
            Err(error) => return answer.send(Err(error)),
        };
        match upload::start(config, &store) {
            Ok(upload) => {
                self.upload = Some(Upload {
                    upload,
                    store,
                    answer,
                    again_at_secs: 0.0,
                    told: 0.0,
                });
            }
            Err(error) => answer.send(Err(refused(what, error, "try again"))),
        }
    }

    /// Goes on uploading.
    pub(super) fn attend_upload(&mut self, cx: &mut Cx<'_>) {
        let now_secs = cx.now_secs();
        let Some(upload) = &mut self.upload else {
            return;
        };
        if upload.answer.is_cancelled() {
            self.upload = None;
            return;
        }
        if now_secs < upload.again_at_secs {
            return;
        }
        let step = upload.upload.poll(&mut upload.store, now_secs);
        let progress = upload.upload.progress();
        if (progress.fraction - upload.told).abs() >= 0.01 {
            upload.told = progress.fraction;
            cx.emit(Event::Progress {
                stage: progress.stage.to_owned(),
                fraction: progress.fraction,
            });
        }
        let result = match step {
            Ok(upload::Step::Working { again_secs }) => {
                upload.again_at_secs = now_secs + again_secs;
                return;
            }
            Ok(upload::Step::Done(done)) => Ok(Reply::Exported {
                files: done.files,
                bytes: done.bytes,
                to: done.to,
            }),
            Err(error) => Err(refused(
                "uploading the dataset",
                error,
                "what was sent stays there; the next upload goes on",
            )),
        };
        if let Some(upload) = self.upload.take() {
            upload.answer.send(result);
        }
    }

    /// Ends what takes its time.
    pub(super) fn cancel(&mut self, _cx: &mut Cx<'_>) {
        if let Some(export) = self.export.take() {
            export.cancel();
        }
        if let Some(upload) = self.upload.take() {
            upload.answer.send(Err(ServiceError::Cancelled {
                request: "record/upload".to_owned(),
                why: "a person stopped it; the next upload goes on".to_owned(),
            }));
        }
    }
}

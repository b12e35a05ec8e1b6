//! Nothing overlaps, no text is cut, and the pictures stay as they were blessed.

use forearm_panel::{RightTab, ThemeChoice};
use forearm_protocol::record::Phase;

use crate::common::record::{browsing, closed, recording, stage};

#[test]
fn dump() {
    let save = |name: &str, stage: &crate::common::Stage| {
        stage
            .picture()
            .save(std::path::Path::new(&format!("/tmp/f/{name}.png")));
    };
    for (w, h, tag) in [(1280.0, 720.0, "w"), (360.0, 740.0, "n")] {
        save(&format!("{tag}_closed"), &stage(w, h, closed()));
        for phase in [
            Phase::Ready,
            Phase::Recording,
            Phase::Resetting,
            Phase::Saving,
            Phase::Paused,
        ] {
            save(&format!("{tag}_{phase:?}"), &stage(w, h, recording(phase)));
        }
        let mut s = stage(w, h, recording(Phase::Resetting));
        s.state.settings.record.tab = RightTab::Episodes;
        s.state.settings.theme = ThemeChoice::Light;
        s.settle();
        save(&format!("{tag}_episodes"), &s);
        let mut s = stage(w, h, browsing(3));
        s.state.settings.record.tab = RightTab::Episodes;
        s.settle();
        save(&format!("{tag}_list"), &s);
        if let Some(at) = s.try_find("Open episode 10") {
            s.click(at);
        }
        s.settle();
        save(&format!("{tag}_browser0"), &s);
        s.inputs.record = Some(browsing(10));
        s.settle();
        save(&format!("{tag}_browser"), &s);
    }
}

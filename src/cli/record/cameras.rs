//! Cameras as the command line names them.

use std::path::Path;

use anyhow::{anyhow, bail};
use forearm_protocol::record::{CameraConfig, CameraSource};
use forearm_protocol::scene::Scene;

use crate::cli::parse_size;

/// What `--camera` says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum CameraArg {
    /// No camera at all.
    None,
    /// This one.
    One(CameraConfig),
}

/// Parses `[NAME=]SOURCE[@WIDTHxHEIGHT]`.
pub(crate) fn parse(text: &str) -> Result<CameraArg, String> {
    if text == "none" {
        return Ok(CameraArg::None);
    }
    let (name, rest) = match text.split_once('=') {
        Some((name, rest)) => (Some(name), rest),
        None => (None, text),
    };
    let (source, resolution) = match rest.rsplit_once('@') {
        Some((source, size)) => (source, Some(parse_size(size)?)),
        None => (rest, None),
    };
    let (source, usual_name) = parse_source(source)?;
    let name = name.map_or(usual_name, str::to_owned);
    let good = !name.is_empty()
        && name
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || it == '_' || it == '-');
    if !good {
        return Err(format!(
            "a camera can't be called `{name}`; expected letters, digits, `_` and `-`, \
             as in `front={rest}`"
        ));
    }
    Ok(CameraArg::One(CameraConfig {
        name,
        source,
        resolution,
    }))
}

fn parse_source(text: &str) -> Result<(CameraSource, String), String> {
    if text == "pattern" {
        return Ok((CameraSource::Pattern, "pattern".to_owned()));
    }
    if let Some(camera) = text.strip_prefix("sim:") {
        return Ok((CameraSource::Sim(camera.to_owned()), camera.to_owned()));
    }
    if let Some(file) = text.strip_prefix("file:") {
        return Ok((CameraSource::File(file.to_owned()), file_stem(file)));
    }
    if text.parse::<u32>().is_ok() {
        let device = format!("/dev/video{text}");
        return Ok((CameraSource::Device(device), format!("camera{text}")));
    }
    if text.contains('/') || text.contains('\\') {
        return Ok((CameraSource::Device(text.to_owned()), file_stem(text)));
    }
    Err(format!(
        "`{text}` is no camera; expected `sim:CAMERA`, a device such as /dev/video0, \
         `file:FOLDER`, `pattern` or `none`"
    ))
}

/// A file's name without folder and extension.
pub(super) fn file_stem(file: &str) -> String {
    let stem = Path::new(file).file_stem().and_then(|stem| stem.to_str());
    stem.unwrap_or(file).to_owned()
}

/// The cameras that are meant, in a scene.
pub(super) fn choose(
    asked: &[CameraArg],
    scene: &Scene,
    simulated: bool,
) -> anyhow::Result<Vec<CameraConfig>> {
    let of_scene = || scene.cameras.iter().map(|camera| camera.name.as_str());
    if asked.is_empty() && simulated {
        let all = of_scene().map(|name| CameraConfig {
            name: name.to_owned(),
            source: CameraSource::Sim(name.to_owned()),
            resolution: None,
        });
        return Ok(all.collect());
    }
    let mut chosen: Vec<CameraConfig> = Vec::new();
    for camera in asked {
        let CameraArg::One(camera) = camera else {
            if asked.len() > 1 {
                bail!("`--camera none` can't stand beside other cameras; leave it out");
            }
            return Ok(Vec::new());
        };
        if let CameraSource::Sim(name) = &camera.source
            && !of_scene().any(|there| there == name)
        {
            let there: Vec<_> = of_scene().collect();
            return Err(anyhow!(
                "the scene `{}` has no camera `{name}`; it has {}",
                scene.name,
                if there.is_empty() {
                    "none".to_owned()
                } else {
                    there.join(", ")
                }
            ));
        }
        if chosen.iter().any(|other| other.name == camera.name) {
            bail!(
                "two cameras are called `{0}`; give one another name, as in `other={0}`",
                camera.name
            );
        }
        chosen.push(camera.clone());
    }
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> CameraConfig {
        match parse(text) {
            Ok(CameraArg::One(camera)) => camera,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn cameras_are_named_by_their_source_unless_told_otherwise() {
        let wrist = one("sim:wrist");
        assert_eq!(wrist.name, "wrist");
        assert_eq!(wrist.source, CameraSource::Sim("wrist".to_owned()));
        assert_eq!(
            one("2").source,
            CameraSource::Device("/dev/video2".to_owned())
        );
        assert_eq!(one("/dev/video0").name, "video0");
        let front = one("front=/dev/v4l/by-id/usb-cam@1280x720");
        assert_eq!(
            (front.name.as_str(), front.resolution),
            ("front", Some([1280, 720]))
        );
        assert_eq!(one("pattern").source, CameraSource::Pattern);
        assert_eq!(
            one("clip=file:pictures").source,
            CameraSource::File("pictures".to_owned())
        );
        assert_eq!(parse("none"), Ok(CameraArg::None));
        for wrong in [
            "",
            "cam",
            "a b=pattern",
            "front=",
            "=pattern",
            "pattern@9x9",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn cameras_that_are_not_there_and_equal_names_are_refused() {
        let scene = scene();
        let all = choose(&[], &scene, true).expect("those of the scene");
        assert_eq!(all.len(), scene.cameras.len());
        assert_eq!(choose(&[], &scene, false).expect("none"), []);
        assert_eq!(choose(&[CameraArg::None], &scene, true).expect("none"), []);
        let wrong = |asked: &[&str]| {
            let asked: Vec<_> = asked
                .iter()
                .map(|text| parse(text).expect("parses"))
                .collect();
            choose(&asked, &scene, true)
                .expect_err("refused")
                .to_string()
        };
        assert!(wrong(&["sim:nose"]).contains("no camera `nose`; it has"));
        assert!(wrong(&["pattern", "pattern=sim:front"]).contains("two cameras"));
        assert!(wrong(&["pattern", "none"]).contains("none"));
    }

    fn scene() -> Scene {
        forearm::scenes::BUILTIN_SCENES[0].scene().expect("valid")
    }
}

//! Tests of the whole crate; one binary, one module a subject.

#![expect(clippy::unwrap_used, reason = "a test that fails should stop")]

mod allocations;
mod calibration;
#[path = "../../../../tests/shared/counting.rs"]
mod counting;
mod fuzz;
mod golden;
mod ik;
mod import_errors;
mod import_meshes;
mod import_mjcf;
mod import_urdf;
mod kinematics;
mod safety;
mod units;
mod validate;

use forearm_arm::ArmModel;
use forearm_arm::import::{ImportError, Imported, model as import_model};
use proptest::prelude::*;

/// The text of a file in the repository's `tests/fixtures`.
fn fixture(name: &str) -> String {
    let path = format!("{}/../../tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Joint positions anywhere within the model's limits.
fn within_limits(model: &ArmModel) -> impl Strategy<Value = Vec<f64>> + use<> {
    let limits: Vec<_> = model.joints.iter().map(|joint| joint.limits).collect();
    prop::collection::vec(0.0..=1.0, limits.len()).prop_map(move |parts| {
        parts
            .iter()
            .zip(&limits)
            .map(|(part, limits)| limits.lower + part * (limits.upper - limits.lower))
            .collect()
    })
}

/// Panics unless every joint is within its limits.
fn assert_within_limits(model: &ArmModel, joints: &[f64]) {
    assert_eq!(joints.len(), model.dof());
    for (joint, position) in model.joints.iter().zip(joints) {
        let limits = joint.limits;
        assert!(
            (limits.lower..=limits.upper).contains(position),
            "{} is at {position}, outside {} to {}",
            joint.name,
            limits.lower,
            limits.upper
        );
    }
}

/// Imports a model that needs no mesh.
fn read(text: &str) -> Result<Imported, ImportError> {
    import_model(text, &mut |name| Err(format!("`{name}` is not there")))
}

/// The notes of an import, one text each.
fn notes(imported: &Imported) -> Vec<String> {
    imported.notes.iter().map(ToString::to_string).collect()
}

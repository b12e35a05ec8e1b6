//! From a scene's files to arm models: the one place where a [`ModelRef`] is resolved.

use std::sync::Arc;

use forearm_arm::{ArmModel, import, so101};

use super::{ModelRef, SceneBundle};

/// A scene's arm whose model can't be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("arm `{arm}` of scene `{scene}`: {problem}")]
pub struct ModelProblem {
    /// The arm's name.
    pub arm: String,
    /// The scene's name.
    pub scene: String,
    /// What is wrong, and what was expected.
    pub problem: String,
}

impl SceneBundle {
    /// The models of the scene's arms, in their order; arms of the same model share it.
    ///
    /// # Errors
    /// Names the first arm whose model is missing or can't be read, and why.
    pub fn arm_models(&self) -> Result<Vec<Arc<ArmModel>>, ModelProblem> {
        let arms = &self.scene.arms;
        let mut models: Vec<Arc<ArmModel>> = Vec::with_capacity(arms.len());
        for (index, arm) in arms.iter().enumerate() {
            let twin = arms[..index]
                .iter()
                .position(|known| known.model == arm.model);
            models.push(match twin {
                Some(twin) => Arc::clone(&models[twin]),
                None => self.arm_model(index)?,
            });
        }
        Ok(models)
    }

    fn arm_model(&self, index: usize) -> Result<Arc<ArmModel>, ModelProblem> {
        let arm = &self.scene.arms[index];
        let fail = |problem| ModelProblem {
            arm: arm.name.clone(),
            scene: self.scene.name.clone(),
            problem,
        };
        match &arm.model {
            ModelRef::So101 => Ok(Arc::new(so101::so101())),
            ModelRef::File(file) => {
                let files = self.models.get(file).ok_or_else(|| {
                    fail(format!(
                        "its model `{file}` was not sent along with the scene"
                    ))
                })?;
                let mut mesh = |name: &str| {
                    let bytes = files.meshes.get(name).cloned();
                    bytes.ok_or_else(|| format!("mesh `{name}` was not sent along with the model"))
                };
                import::model(&files.text, &mut mesh)
                    .map(|imported| Arc::new(imported.model))
                    .map_err(|error| fail(format!("model `{file}`: {error}")))
            }
        }
    }
}

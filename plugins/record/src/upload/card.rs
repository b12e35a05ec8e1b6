//! The page of a dataset on a hub, for one that has none.

/// What of `meta/info.json` an upload goes by.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
pub(super) struct Info {
    /// The version of the format, which is also the tag that loaders look for: `v3.0`.
    pub(super) codebase_version: String,
    #[serde(default)]
    pub(super) robot_type: Option<String>,
    #[serde(default)]
    pub(super) fps: u32,
}

/// The card: metadata that the hub finds datasets by, and how to load it.
pub(super) fn write(repo_id: &str, info: &Info) -> String {
    let robot = info.robot_type.as_deref().unwrap_or("unknown");
    let (version, fps) = (&info.codebase_version, info.fps);
    format!(
        "---\n\
         task_categories:\n- robotics\n\
         tags:\n- LeRobot\n- Forearm\n\
         configs:\n- config_name: default\n  data_files: data/*/*.parquet\n\
         ---\n\n\
         Robot: {robot}, {fps} frames a second. A LeRobot dataset ({version}), recorded with Forearm.\n\n\
         ```python\n\
         from lerobot.datasets.lerobot_dataset import LeRobotDataset\n\n\
         dataset = LeRobotDataset(\"{repo_id}\")\n\
         ```\n"
    )
}

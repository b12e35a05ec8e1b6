//! `README.md`: the card that a dataset hub shows, with the header that its viewer reads.

use crate::info::Info;
use crate::schema::DataType;

/// The card of a dataset.
pub(crate) fn text(info: &Info) -> String {
    let schema = &info.schema;
    let mut features = String::new();
    for feature in &schema.features {
        let shape: Vec<String> = feature.shape.iter().map(u64::to_string).collect();
        let kind = match feature.data_type {
            DataType::Video => "video (MP4)",
            DataType::Image => "picture (PNG)",
            ref other => other.name(),
        };
        features.push_str(&format!(
            "| `{}` | {kind} | {} | {} |\n",
            feature.key,
            shape.join(" × "),
            feature.value_names().join(", ")
        ));
    }
    let robot = match schema.robot_type.as_str() {
        "" => "a robot",
        name => name,
    };
    format!(
        "---\n\
         license: apache-2.0\n\
         task_categories:\n\
         - robotics\n\
         tags:\n\
         - LeRobot\n\
         configs:\n\
         - config_name: default\n  \
           data_files: data/*/*.parquet\n\
         ---\n\n\
         Recorded with Forearm from {robot}, {} rows a second, in the format of \
         [LeRobot](https://github.com/huggingface/lerobot) datasets ({}).\n\n\
         | feature | type | shape | names |\n\
         |---|---|---|---|\n\
         {features}",
        schema.fps,
        info.version.name(),
    )
}

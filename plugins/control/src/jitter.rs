//! Moves a scene's objects a little, at random but repeatably: for trying whether a motion or a
//! policy copes.

use forearm_protocol::scene::{ObjectShape, ObjectSpec, Scene};

/// Gap that is kept between objects, metres.
const GAP: f64 = 0.004;
/// How often a free place is looked for before an object stays where it is.
const TRIES: usize = 64;

/// Moves every graspable object by up to `metres` each way along X and along Y. The same scene,
/// distance and seed give the same places; objects do not touch each other afterwards unless they
/// did before. A distance that is not a positive number moves nothing.
pub fn jitter_objects(scene: &mut Scene, metres: f64, seed: u64) {
    if !(metres > 0.0 && metres.is_finite()) {
        return;
    }
    let mut random = SplitMix64(seed);
    for index in 0..scene.objects.len() {
        if !scene.objects[index].graspable() {
            continue;
        }
        let [x, y, z] = scene.objects[index].position;
        for _ in 0..TRIES {
            let dx = metres * random.between_minus_one_and_one();
            let dy = metres * random.between_minus_one_and_one();
            let moved = [x + dx, y + dy, z];
            if is_free(scene, index, moved) {
                scene.objects[index].position = moved;
                break;
            }
        }
    }
}

/// Whether an object at `position` keeps clear of all others.
fn is_free(scene: &Scene, index: usize, position: [f64; 3]) -> bool {
    let reach = footprint(&scene.objects[index]);
    scene.objects.iter().enumerate().all(|(other, object)| {
        let dx = object.position[0] - position[0];
        let dy = object.position[1] - position[1];
        let apart = reach + footprint(object) + GAP;
        other == index || dx * dx + dy * dy >= apart * apart
    })
}

/// Radius of a circle that an object stands in, however it is turned about Z, metres.
fn footprint(object: &ObjectSpec) -> f64 {
    match object.shape {
        ObjectShape::Cube { size } => libm::hypot(size, size) / 2.0,
        ObjectShape::Box { size: [x, y, z] } => {
            let flat = object.rotation_degrees[0] == 0.0 && object.rotation_degrees[1] == 0.0;
            libm::hypot(libm::hypot(x, y), if flat { 0.0 } else { z }) / 2.0
        }
        ObjectShape::Cylinder { radius, .. } | ObjectShape::Ball { radius } => radius,
        ObjectShape::Tray {
            inner: [x, y],
            wall,
            ..
        } => libm::hypot(x + 2.0 * wall, y + 2.0 * wall) / 2.0,
    }
}

/// `SplitMix64`, the generator of Steele, Lea and Flood (2014): small, and the same everywhere.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    fn between_minus_one_and_one(&mut self) -> f64 {
        // 53 bits, as many as an f64 holds.
        (self.next() >> 11) as f64 * (2.0 / 9_007_199_254_740_992.0) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scene() -> Scene {
        Scene::from_ron("test", include_str!("../../../scenes/pick_and_place.ron"))
            .expect("the scene is valid")
    }

    #[test]
    fn the_generator_is_the_published_one() {
        let mut random = SplitMix64(1_234_567);
        let first = [random.next(), random.next(), random.next()];
        let published = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        assert_eq!(first, published);
    }

    #[test]
    fn nonsense_moves_nothing() {
        for metres in [0.0, -0.1, f64::NAN, f64::INFINITY] {
            let mut moved = scene();
            jitter_objects(&mut moved, metres, 1);
            assert_eq!(moved, scene());
        }
    }

    proptest! {
        #[test]
        fn objects_stay_near_and_apart(seed: u64, metres in 0.001_f64..0.05) {
            let (before, mut after) = (scene(), scene());
            jitter_objects(&mut after, metres, seed);
            let mut again = scene();
            jitter_objects(&mut again, metres, seed);
            prop_assert_eq!(&after, &again);
            for (index, (old, new)) in before.objects.iter().zip(&after.objects).enumerate() {
                for axis in 0..2 {
                    prop_assert!((old.position[axis] - new.position[axis]).abs() <= metres);
                }
                prop_assert_eq!(old.position[2], new.position[2]);
                prop_assert!(old.graspable() || old == new);
                prop_assert!(is_free(&after, index, new.position));
            }
        }
    }
}

//! Collision: which colliders touch, where and how deep.
//!
//! Pairs are chosen once, when the world is built, and grouped by what carries them. Each step
//! rejects what is far by bounding balls and boxes, first of carriers, then of colliders; what is
//! left is [`Toucher`]'s. Objects that sleep take part only where something awake comes near them.
//! Buffers are reused: nothing allocates once they have grown.

use crate::collider::{Collider, Owner};
use crate::math::{Frame, M3, V3};
use crate::snapshot::{Sink, Source, State, state};
use crate::touch::Toucher;

/// How far contacts are looked for beyond touching, metres, at rest.
const MARGIN: f64 = 0.001;
/// Contact points of one pair that are kept.
const MAX_POINTS: usize = 8;
/// Points closer than this from one step to the next are the same contact, metres.
const SAME_POINT: f32 = 0.004;
/// Points of one pair closer than this are one, metres.
const DOUBLE_POINT: f32 = 5e-4;

/// A contact point, world frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contact {
    /// The pair it belongs to, and which of the pair's points it is.
    pub(crate) pair: usize,
    pub(crate) point_index: usize,
    /// Halfway between the two surfaces.
    pub(crate) point: V3,
    /// From the first collider to the second.
    pub(crate) normal: V3,
    /// Distance between the surfaces, metres; negative when they overlap.
    pub(crate) distance: f64,
    /// How far the second collider has slipped along the first since they stuck, metres. Only what
    /// is across the normal counts.
    pub(crate) slip: V3,
    /// Impulses of the step before: along the normal, and across it. N·s.
    pub(crate) warm_normal: f64,
    pub(crate) warm_tangent: V3,
}

/// A contact remembered for the next step: its solution, to start from, and the two points that
/// stick to each other, each in its collider's frame.
#[derive(Debug, Clone, Copy)]
struct Remembered {
    local_point: [f32; 3],
    stuck: [V3; 2],
    sticks: bool,
    normal: f64,
    tangent: V3,
}

state!(Remembered { local_point, stuck, sticks, normal, tangent } but {});

impl Remembered {
    fn new(local_point: [f32; 3], stuck: [V3; 2]) -> Self {
        Self {
            local_point,
            stuck,
            sticks: false,
            normal: 0.0,
            tangent: V3::zeros(),
        }
    }
}

/// Two colliders that may touch.
pub(crate) struct Pair {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// Coulomb friction coefficient between the two.
    pub(crate) friction: f64,
    points: [Remembered; MAX_POINTS],
    count: usize,
    /// Angular impulse that resisted rolling and spinning in the step before, N·m·s.
    pub(crate) warm_spin: V3,
}

/// What colliders ride on, and what all of them together occupy.
#[derive(Debug, Clone)]
struct Carrier {
    owner: Owner,
    /// Bounding ball of its colliders: where in its frame, and the radius, metres.
    center: V3,
    radius: f64,
    /// It never moves.
    still: bool,
    /// Where it is, and its ball, in this step.
    riding: Riding,
    ball: V3,
    /// How much further ahead contacts are looked for as it moves, metres.
    ahead: f64,
}

impl Carrier {
    /// Nothing moves it in this step, unless it is woken.
    fn idle(&self) -> bool {
        self.still || self.riding.asleep
    }
}

/// How an owner moves.
#[derive(Debug, Clone)]
pub(crate) struct Riding {
    pub(crate) world_from_owner: Frame,
    /// How fast its fastest point goes, m/s: an upper bound.
    pub(crate) speed: f64,
    /// It rests and is left alone until something comes near.
    pub(crate) asleep: bool,
}

impl Riding {
    /// Standing still at the world's origin.
    pub(crate) const STILL: Self = Self {
        world_from_owner: Frame {
            rotation: M3::new(1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0),
            origin: V3::new(0.0, 0.0, 0.0),
        },
        speed: 0.0,
        asleep: false,
    };
}

/// The pairs of two carriers.
#[derive(Debug, Clone)]
struct Group {
    first: usize,
    second: usize,
    /// Which pairs: from, and up to.
    pairs: (usize, usize),
    /// Something may be remembered of its pairs.
    live: bool,
    /// Left out in this step, as nothing moves it.
    skipped: bool,
}

/// Where a collider is, computed when it is asked for.
#[derive(Debug, Clone)]
struct Place {
    frame: Frame,
    /// Steps in which the origin and the whole frame were computed.
    origin_of: u64,
    frame_of: u64,
}

impl State for Pair {
    fn save(&self, to: &mut impl Sink) {
        let Self {
            first: _,
            second: _,
            friction: _,
            points,
            count,
            warm_spin,
        } = self;
        count.save(to);
        // Most pairs are apart, and have no more to remember.
        if *count > 0 {
            points[..*count].iter().for_each(|point| point.save(to));
            warm_spin.save(to);
        }
    }

    fn load(&mut self, from: &mut Source<'_>) {
        let Self {
            first: _,
            second: _,
            friction: _,
            points,
            count,
            warm_spin,
        } = self;
        count.load(from);
        *count = (*count).min(MAX_POINTS);
        *warm_spin = V3::zeros();
        if *count > 0 {
            let points = &mut points[..*count];
            points.iter_mut().for_each(|point| point.load(from));
            warm_spin.load(from);
        }
    }
}

// Contacts are found anew in each step.
state!(Collisions { pairs, groups } but {
    colliders, contacts, woken, carriers, carrier_of, places, ground, now, toucher, before,
});
state!(Group { live } but { first, second, pairs, skipped });

/// All colliders and pairs of a world.
#[derive(Default)]
pub(crate) struct Collisions {
    pub(crate) colliders: Vec<Collider>,
    pub(crate) pairs: Vec<Pair>,
    /// The contacts that the last [`Collisions::detect`] found.
    pub(crate) contacts: Vec<Contact>,
    /// Who was asleep and is touched, in the last [`Collisions::detect`].
    pub(crate) woken: Vec<Owner>,
    carriers: Vec<Carrier>,
    groups: Vec<Group>,
    /// The carrier and the place of each collider.
    carrier_of: Vec<usize>,
    places: Vec<Place>,
    /// Height of the highest point that belongs to the world, metres.
    ground: f64,
    /// Counts the steps.
    now: u64,
    toucher: Toucher,
    before: Vec<Remembered>,
}

impl Collisions {
    /// Lists the pairs that can touch: everything against everything else, but nothing against
    /// its own arm or object, and nothing that stands still against another such thing.
    pub(crate) fn pair_up(&mut self, fixed_object: impl Fn(usize) -> bool) {
        let still = |owner: Owner| match owner {
            Owner::World | Owner::Arm { body: None, .. } => true,
            Owner::Arm { .. } => false,
            Owner::Object(object) => fixed_object(object),
        };
        self.find_carriers(still);
        self.pairs.clear();
        for (first, a) in self.colliders.iter().enumerate() {
            for (second, b) in self.colliders.iter().enumerate().skip(first + 1) {
                let same = match (a.owner, b.owner) {
                    (Owner::Arm { arm: a, .. }, Owner::Arm { arm: b, .. }) => a == b,
                    (a, b) => a == b,
                };
                if same || (still(a.owner) && still(b.owner)) {
                    continue;
                }
                // The more slippery surface decides.
                let friction = a.friction.min(b.friction);
                self.pairs.push(Pair {
                    first,
                    second,
                    friction,
                    points: [Remembered::new([0.0; 3], [V3::zeros(); 2]); MAX_POINTS],
                    count: 0,
                    warm_spin: V3::zeros(),
                });
            }
        }
        let carrier_of = &self.carrier_of;
        let carriers = |pair: &Pair| (carrier_of[pair.first], carrier_of[pair.second]);
        self.pairs.sort_by_key(carriers);
        self.groups.clear();
        let mut from = 0;
        for pairs in self.pairs.chunk_by(|a, b| carriers(a) == carriers(b)) {
            let (first, second) = carriers(&pairs[0]);
            self.groups.push(Group {
                first,
                second,
                pairs: (from, from + pairs.len()),
                live: false,
                skipped: false,
            });
            from += pairs.len();
        }
    }

    /// Lists who carries colliders, and the room that each takes.
    fn find_carriers(&mut self, still: impl Fn(Owner) -> bool) {
        self.carriers.clear();
        self.carrier_of.clear();
        for collider in &self.colliders {
            let owner = collider.owner;
            let found = self.carriers.iter().position(|c| c.owner == owner);
            self.carrier_of.push(found.unwrap_or(self.carriers.len()));
            if found.is_some() {
                continue;
            }
            let own = || self.colliders.iter().filter(|c| c.owner == owner);
            let count = own().count() as f64;
            let center: V3 = own().map(|c| c.owner_from_shape.origin / count).sum();
            let reach = |c: &Collider| (c.owner_from_shape.origin - center).norm() + c.radius;
            self.carriers.push(Carrier {
                owner,
                center,
                radius: own().map(reach).fold(0.0, f64::max),
                still: still(owner),
                riding: Riding::STILL,
                ball: V3::zeros(),
                ahead: 0.0,
            });
        }
        let tops = self.colliders.iter().filter(|c| c.owner == Owner::World);
        self.ground = tops
            .map(|c| c.owner_from_shape.origin.z + if c.level { c.half.z } else { c.radius })
            .fold(f64::NEG_INFINITY, f64::max);
        let place = |collider: &Collider| Place {
            frame: collider.owner_from_shape,
            origin_of: 0,
            frame_of: 0,
        };
        self.places = self.colliders.iter().map(place).collect();
        self.now = 0;
    }

    /// Makes friction so many times what the colliders' coefficients say.
    pub(crate) fn scale_friction(&mut self, factor: f64) {
        for pair in &mut self.pairs {
            let (a, b) = (&self.colliders[pair.first], &self.colliders[pair.second]);
            pair.friction = factor * a.friction.min(b.friction);
        }
    }

    /// Forgets what was remembered of past steps.
    pub(crate) fn forget(&mut self) {
        self.contacts.clear();
        for pair in &mut self.pairs {
            pair.forget();
        }
    }

    /// Finds all contacts of a step of `dt` seconds. `riding` tells how an owner moves. Those who
    /// sleep are woken by whatever awake thing touches them, and wake those whom they touch; what
    /// is between two that go on sleeping stays as it is remembered and is not among the contacts.
    pub(crate) fn detect(&mut self, riding: impl Fn(Owner) -> Riding, dt: f64) {
        self.contacts.clear();
        self.woken.clear();
        self.now += 1;
        for carrier in &mut self.carriers {
            carrier.riding = riding(carrier.owner);
            carrier.ball = carrier.riding.world_from_owner.point(&carrier.center);
            carrier.ahead = dt * carrier.riding.speed;
        }
        for index in 0..self.groups.len() {
            let group = &mut self.groups[index];
            group.skipped = self.carriers[group.first].idle() && self.carriers[group.second].idle();
            if !group.skipped {
                self.visit(index);
            }
        }
        let mut next = 0;
        while let Some(&owner) = self.woken.get(next) {
            next += 1;
            for index in 0..self.groups.len() {
                let group = &mut self.groups[index];
                let concerned = [group.first, group.second].map(|c| self.carriers[c].owner);
                if group.skipped && concerned.contains(&owner) {
                    group.skipped = false;
                    self.visit(index);
                }
            }
        }
    }

    /// Finds the contacts between two carriers.
    fn visit(&mut self, index: usize) {
        let group = &self.groups[index];
        let (a, b) = (&self.carriers[group.first], &self.carriers[group.second]);
        let (first, second, (from, to)) = (group.first, group.second, group.pairs);
        let margin = MARGIN + a.ahead + b.ahead;
        let apart = if a.owner == Owner::World {
            b.ball.z - b.radius > self.ground + margin
        } else {
            let reach = a.radius + b.radius + margin;
            (b.ball - a.ball).norm_squared() > reach * reach
        };
        if apart {
            if std::mem::take(&mut self.groups[index].live) {
                self.pairs[from..to].iter_mut().for_each(Pair::forget);
            }
            return;
        }
        let before = self.contacts.len();
        for pair in from..to {
            if self.near(pair, margin) {
                self.touch(pair, margin);
            } else {
                self.pairs[pair].forget();
            }
        }
        self.groups[index].live = true;
        if self.contacts.len() > before {
            for carrier in [first, second] {
                let carrier = &mut self.carriers[carrier];
                if std::mem::take(&mut carrier.riding.asleep) {
                    self.woken.push(carrier.owner);
                }
            }
        }
    }

    /// Whether two colliders are near, going by their bounding balls and boxes.
    fn near(&mut self, pair: usize, margin: f64) -> bool {
        let (first, second) = (self.pairs[pair].first, self.pairs[pair].second);
        let (at, bt) = (self.origin(first), self.origin(second));
        let (a, b) = (&self.colliders[first], &self.colliders[second]);
        if a.level {
            let reach = V3::repeat(b.radius + margin) + a.half;
            let offset = (bt - at).abs();
            if offset.x > reach.x || offset.y > reach.y || offset.z > reach.z {
                return false;
            }
            let (top, half) = (at.z + a.half.z, b.half);
            let up = self.frame(second).rotation.row(2).abs();
            let below = up[0] * half.x + up[1] * half.y + up[2] * half.z;
            return bt.z - below <= top + margin;
        }
        let reach = a.radius + b.radius + margin;
        if (bt - at).norm_squared() > reach * reach {
            return false;
        }
        let (b_reach, a_reach) = (b.radius + margin, a.radius + margin);
        let (a_half, b_half) = (a.half, b.half);
        !outside(self.frame(first), &a_half, &bt, b_reach)
            && !outside(self.frame(second), &b_half, &at, a_reach)
    }

    /// Where a collider's origin is in the world.
    fn origin(&mut self, collider: usize) -> V3 {
        let place = &mut self.places[collider];
        if place.origin_of != self.now {
            let world_from_owner = &self.carriers[self.carrier_of[collider]]
                .riding
                .world_from_owner;
            let local = &self.colliders[collider].owner_from_shape.origin;
            place.frame.origin = world_from_owner.point(local);
            place.origin_of = self.now;
        }
        place.frame.origin
    }

    /// Where a collider is in the world; its origin is known.
    fn frame(&mut self, collider: usize) -> &Frame {
        let place = &mut self.places[collider];
        if place.frame_of != self.now {
            let world_from_owner = &self.carriers[self.carrier_of[collider]]
                .riding
                .world_from_owner;
            let local = &self.colliders[collider].owner_from_shape.rotation;
            place.frame.rotation = world_from_owner.rotation * local;
            place.frame_of = self.now;
        }
        &place.frame
    }

    /// Adds a pair's contacts, and remembers of the step before what goes on.
    fn touch(&mut self, index: usize, margin: f64) {
        let (first, second) = (self.pairs[index].first, self.pairs[index].second);
        let (at, bt) = (*self.frame(first), *self.frame(second));
        let solids = (&self.colliders[first], &self.colliders[second]);
        let normal = self.toucher.find((solids.0, &at), (solids.1, &bt), margin);
        let pair = &mut self.pairs[index];
        self.before.clear();
        self.before.extend_from_slice(&pair.points[..pair.count]);
        pair.count = 0;
        for touch in &self.toucher.touches {
            if pair.count == MAX_POINTS || touch.distance > margin {
                continue;
            }
            let here = touch.local;
            let local = [here[0].x as f32, here[0].y as f32, here[0].z as f32];
            if nearest(&pair.points[..pair.count], local, DOUBLE_POINT).is_some() {
                continue;
            }
            let (one, other) = (at.point(&here[0]), bt.point(&here[1]));
            let mut slip = other - one;
            let mut remembered = Remembered::new(local, here);
            if let Some(before) = nearest(&self.before, local, SAME_POINT) {
                remembered.normal = before.normal;
                remembered.tangent = before.tangent;
                if before.sticks {
                    remembered.stuck = before.stuck;
                    slip = bt.point(&before.stuck[1]) - at.point(&before.stuck[0]);
                }
            }
            pair.points[pair.count] = remembered;
            self.contacts.push(Contact {
                pair: index,
                point_index: pair.count,
                point: (one + other) / 2.0,
                normal,
                distance: touch.distance,
                slip: slip - normal * touch.distance,
                warm_normal: remembered.normal,
                warm_tangent: remembered.tangent,
            });
            pair.count += 1;
        }
    }
}

impl Pair {
    /// Forgets what was remembered of past steps.
    fn forget(&mut self) {
        self.count = 0;
        self.warm_spin = V3::zeros();
    }

    /// How many contact points the pair has.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Keeps a contact's impulses for the next step, and whether it sticks.
    pub(crate) fn remember(&mut self, point_index: usize, normal: f64, tangent: V3, sticks: bool) {
        let point = &mut self.points[point_index];
        point.normal = normal;
        point.tangent = tangent;
        point.sticks = sticks;
    }
}

/// Whether a ball of radius `reach` at `center` stays outside a box.
fn outside(frame: &Frame, half: &V3, center: &V3, reach: f64) -> bool {
    let local = frame.inverse_point(center);
    let gap = (local.abs() - half).sup(&V3::zeros());
    gap.norm_squared() > reach * reach
}

/// The remembered point nearest to this one, if there is one within a distance (m).
fn nearest(old: &[Remembered], local: [f32; 3], within: f32) -> Option<&Remembered> {
    let mut best = within * within;
    let mut found = None;
    for point in old {
        let squared: f32 = point
            .local_point
            .iter()
            .zip(local)
            .map(|(a, b)| (a - b) * (a - b))
            .sum();
        if squared < best {
            best = squared;
            found = Some(point);
        }
    }
    found
}

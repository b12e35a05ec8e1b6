//! Plane polygons: outlines with rounded corners, insets, and their division into triangles.

use core::f64::consts::PI;

/// A point of a plane, metres.
pub(super) type Point = [f64; 2];

/// The outline through `corners` (`[x, y, radius]`, metres) with each corner rounded by its
/// radius; a radius that doesn't fit is made smaller.
#[must_use]
pub fn rounded(corners: &[[f64; 3]]) -> Vec<[f64; 2]> {
    let count = corners.len();
    let mut outline = Vec::new();
    for i in 0..count {
        let [x, y, radius] = corners[i];
        let before = corners[(i + count - 1) % count];
        let after = corners[(i + 1) % count];
        let (back, back_length) = direction([x, y], [before[0], before[1]]);
        let (ahead, ahead_length) = direction([x, y], [after[0], after[1]]);
        // Half of the angle between the two sides.
        let half = 0.5 * libm::acos(dot(back, ahead).clamp(-1.0, 1.0));
        let tangent = libm::tan(half);
        let reach = (radius / tangent).min(0.499 * back_length.min(ahead_length));
        if !(reach > 1e-6) || half > 0.499 * PI {
            outline.push([x, y]);
            continue;
        }
        let radius = reach * tangent;
        let (bisector, _) = direction([0.0, 0.0], [back[0] + ahead[0], back[1] + ahead[1]]);
        let to_center = radius / libm::sin(half);
        let center = [x + bisector[0] * to_center, y + bisector[1] * to_center];
        let start = [
            x + back[0] * reach - center[0],
            y + back[1] * reach - center[1],
        ];
        let turn = (PI - 2.0 * half) * if cross(back, ahead) < 0.0 { 1.0 } else { -1.0 };
        let circle = super::circle_segments(radius) as f64;
        let pieces = (libm::ceil(libm::fabs(turn) / (2.0 * PI) * circle) as usize).max(2);
        for piece in 0..=pieces {
            let (sin, cos) = libm::sincos(turn * piece as f64 / pieces as f64);
            outline.push([
                center[0] + start[0] * cos - start[1] * sin,
                center[1] + start[0] * sin + start[1] * cos,
            ]);
        }
    }
    outline
}

/// A circle, anticlockwise.
#[must_use]
pub fn circle(center: [f64; 2], radius: f64) -> Vec<[f64; 2]> {
    let segments = super::circle_segments(radius);
    (0..segments)
        .map(|i| {
            let (sin, cos) = libm::sincos(2.0 * PI * i as f64 / segments as f64);
            [center[0] + radius * cos, center[1] + radius * sin]
        })
        .collect()
}

/// Without points that repeat their neighbour, running anticlockwise or (`hole`) clockwise;
/// `None` if nothing with an area is left.
pub(super) fn tidy(outline: &[Point], hole: bool) -> Option<Vec<Point>> {
    let mut points: Vec<Point> = Vec::with_capacity(outline.len());
    for point in outline {
        if !point.iter().all(|value| value.is_finite()) {
            return None;
        }
        if points
            .last()
            .is_none_or(|last| distance(*last, *point) > 1e-6)
        {
            points.push(*point);
        }
    }
    while points.len() > 1 && distance(points[0], points[points.len() - 1]) <= 1e-6 {
        points.pop();
    }
    let area = area(&points);
    if points.len() < 3 || !(libm::fabs(area) > 1e-12) {
        return None;
    }
    if (area < 0.0) != hole {
        points.reverse();
    }
    Some(points)
}

/// The outline moved to its left by `amount`, point by point. Short edges that would turn over
/// shrink to points instead; `None` if long ones would.
pub(super) fn inset(outline: &[Point], amount: f64) -> Option<Vec<Point>> {
    let count = outline.len();
    let mut moved: Vec<Point> = (0..count)
        .map(|i| {
            let at = outline[i];
            let (into, _) = direction(outline[(i + count - 1) % count], at);
            let (out, _) = direction(at, outline[(i + 1) % count]);
            let normals = [-into[1] - out[1], into[0] + out[0]];
            // Sharp corners move no further than twice the distance.
            let scale = amount / (1.0 + dot(into, out)).max(0.25);
            [at[0] + normals[0] * scale, at[1] + normals[1] * scale]
        })
        .collect();
    for i in 0..count {
        let next = (i + 1) % count;
        let (was, _) = direction(outline[i], outline[next]);
        let is = [moved[next][0] - moved[i][0], moved[next][1] - moved[i][1]];
        if dot(was, is) > 0.0 {
            continue;
        }
        if distance(outline[i], outline[next]) > 0.3 * amount {
            return None;
        }
        let middle = [
            0.5 * (moved[i][0] + moved[next][0]),
            0.5 * (moved[i][1] + moved[next][1]),
        ];
        (moved[i], moved[next]) = (middle, middle);
    }
    Some(moved)
}

/// Triangles (indices into the loops' points, one loop after another) of the face between the
/// first loop and its holes.
pub(super) fn triangles(loops: &[Vec<Point>]) -> Vec<[usize; 3]> {
    let points: Vec<Point> = loops.iter().flatten().copied().collect();
    let mut chain: Vec<usize> = (0..loops.first().map_or(0, Vec::len)).collect();
    let mut first = chain.len();
    let mut holes: Vec<Vec<usize>> = Vec::new();
    for hole in loops.iter().skip(1) {
        holes.push((first..first + hole.len()).collect());
        first += hole.len();
    }
    // The rightmost hole first: its bridge can't cross a hole that is not yet joined.
    let rightmost = |hole: &[usize]| {
        (0..hole.len()).max_by(|&a, &b| points[hole[a]][0].total_cmp(&points[hole[b]][0]))
    };
    holes.sort_by(|a, b| {
        let x = |hole: &[usize]| rightmost(hole).map_or(0.0, |at| points[hole[at]][0]);
        x(b).total_cmp(&x(a))
    });
    for hole in &holes {
        let Some(start) = rightmost(hole) else {
            continue;
        };
        let from = points[hole[start]];
        let Some(at) = bridge(&points, &chain, loops, from) else {
            continue;
        };
        let back = chain[at];
        let joined = hole[start..]
            .iter()
            .chain(&hole[..=start])
            .copied()
            .chain([back]);
        let tail = chain.split_off(at + 1);
        chain.extend(joined);
        chain.extend(tail);
    }
    clip_ears(&points, chain)
}

/// The place in `chain` of the nearest point that can be joined with `from` without crossing any
/// loop or earlier bridge.
fn bridge(points: &[Point], chain: &[usize], loops: &[Vec<Point>], from: Point) -> Option<usize> {
    let mut candidates: Vec<usize> = (0..chain.len()).collect();
    candidates.sort_by(|&a, &b| {
        distance(points[chain[a]], from).total_cmp(&distance(points[chain[b]], from))
    });
    let clear = |a: Point, b: Point, to: Point| {
        [a, b].iter().any(|end| *end == to || *end == from) || !crosses(from, to, a, b)
    };
    let free = |&candidate: &usize| {
        let to = points[chain[candidate]];
        let count = chain.len();
        // A point that an earlier bridge doubled serves only on the side that faces the hole.
        let before = points[chain[(candidate + count - 1) % count]];
        let after = points[chain[(candidate + 1) % count]];
        let faces = if side(before, to, after) >= 0.0 {
            side(before, to, from) >= 0.0 && side(to, after, from) >= 0.0
        } else {
            side(before, to, from) >= 0.0 || side(to, after, from) >= 0.0
        };
        faces
            && (0..count).all(|i| clear(points[chain[i]], points[chain[(i + 1) % count]], to))
            && loops
                .iter()
                .skip(1)
                .all(|hole| (0..hole.len()).all(|i| clear(hole[i], hole[(i + 1) % hole.len()], to)))
    };
    candidates
        .iter()
        .copied()
        .find(|candidate| free(candidate))
        .or(candidates.first().copied())
}

fn clip_ears(points: &[Point], mut chain: Vec<usize>) -> Vec<[usize; 3]> {
    let mut triangles = Vec::with_capacity(chain.len());
    while chain.len() > 3 {
        let count = chain.len();
        let corner = |i: usize| {
            [
                chain[(i + count - 1) % count],
                chain[i],
                chain[(i + 1) % count],
            ]
        };
        // What may lie in an ear: nothing, or, where points line up, what lies on its border.
        let is_ear = |i: &usize, margin: f64| {
            let [a, b, c] = corner(*i).map(|index| points[index]);
            side(a, b, c) > 1e-15
                && chain.iter().all(|&other| {
                    let p = points[other];
                    p == a || p == b || p == c || !inside([a, b, c], p, margin)
                })
        };
        // The most regular ear makes better triangles than the first. Where an outline crosses
        // itself there may be none, and the flattest corner goes.
        let quality = |i: &usize| {
            let [a, b, c] = corner(*i).map(|index| points[index]);
            let longest = distance(a, b).max(distance(b, c)).max(distance(c, a));
            side(a, b, c) / (longest * longest).max(1e-18)
        };
        let ear = |margin: f64| {
            (0..count)
                .filter(|i| is_ear(i, margin))
                .max_by(|a, b| quality(a).total_cmp(&quality(b)))
        };
        let flattest =
            || (0..count).min_by(|a, b| libm::fabs(quality(a)).total_cmp(&libm::fabs(quality(b))));
        let best = ear(-1e-15)
            .or_else(|| ear(1e-15))
            .or_else(flattest)
            .unwrap_or(0);
        triangles.push(corner(best));
        chain.remove(best);
    }
    if let [a, b, c] = chain[..] {
        triangles.push([a, b, c]);
    }
    triangles
}

/// The polygon's area, positive if it runs anticlockwise.
pub(super) fn area(points: &[Point]) -> f64 {
    let count = points.len();
    (0..count)
        .map(|i| 0.5 * cross(points[i], points[(i + 1) % count]))
        .sum()
}

/// Whether `p` is within the triangle by at least `margin` (an area, m²).
fn inside([a, b, c]: [Point; 3], p: Point, margin: f64) -> bool {
    side(a, b, p) >= margin && side(b, c, p) >= margin && side(c, a, p) >= margin
}

fn crosses(a: Point, b: Point, c: Point, d: Point) -> bool {
    side(a, b, c) * side(a, b, d) <= 0.0 && side(c, d, a) * side(c, d, b) <= 0.0
}

/// Positive if `p` is to the left of the way from `a` to `b`.
fn side(a: Point, b: Point, p: Point) -> f64 {
    cross([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]])
}

fn direction(from: Point, to: Point) -> (Point, f64) {
    let length = distance(from, to);
    if length > 0.0 {
        (
            [(to[0] - from[0]) / length, (to[1] - from[1]) / length],
            length,
        )
    } else {
        ([0.0, 0.0], 0.0)
    }
}

fn distance(a: Point, b: Point) -> f64 {
    libm::hypot(b[0] - a[0], b[1] - a[1])
}

fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

fn cross(a: Point, b: Point) -> f64 {
    a[0] * b[1] - a[1] * b[0]
}

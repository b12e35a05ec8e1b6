//! Symmetric positive matrices of a few rows: their inverse, on the stack.
//!
//! An arm's inertia is inverted in each step. For as many joints as arms usually have the size is
//! known when this is compiled, so that loops are unrolled; others go the general way. Both do the
//! same sums in the same order.

/// The least pivot: matrices are positive unless a model has a joint that moves no mass at all.
const LEAST: f64 = 1e-12;

/// Inverts `matrix` with `added` added to its diagonal. Row by row, `added.len()` rows; `scratch`
/// is of the same size.
pub(crate) fn invert(matrix: &[f64], added: &[f64], inverse: &mut [f64], scratch: &mut [f64]) {
    match added.len() {
        5 => invert_fixed::<5>(matrix, added, inverse),
        6 => invert_fixed::<6>(matrix, added, inverse),
        7 => invert_fixed::<7>(matrix, added, inverse),
        8 => invert_fixed::<8>(matrix, added, inverse),
        _ => invert_any(matrix, added, inverse, scratch),
    }
}

fn invert_fixed<const N: usize>(matrix: &[f64], added: &[f64], inverse: &mut [f64]) {
    let (Some(a), Some(out), Ok(added)) = (
        rows::<N>(matrix),
        rows_mut::<N>(inverse),
        <&[f64; N]>::try_from(added),
    ) else {
        return;
    };
    // A = L D Lᵀ with ones on L's diagonal; `scaled` is L D, `l` becomes L.
    let mut l = [[0.0; N]; N];
    let mut scaled = [[0.0; N]; N];
    let mut pivot = [0.0; N];
    for j in 0..N {
        let mut diagonal = a[j][j] + added[j];
        for k in 0..j {
            diagonal -= l[j][k] * scaled[j][k];
        }
        pivot[j] = 1.0 / diagonal.max(LEAST);
        for i in j + 1..N {
            let mut value = a[i][j];
            for k in 0..j {
                value -= l[i][k] * scaled[j][k];
            }
            scaled[i][j] = value;
            l[i][j] = value * pivot[j];
        }
    }
    // L⁻¹, below its diagonal.
    let mut x = [[0.0; N]; N];
    for j in 0..N {
        for i in j + 1..N {
            let mut value = -l[i][j];
            for k in j + 1..i {
                value -= l[i][k] * x[k][j];
            }
            x[i][j] = value;
        }
    }
    // A⁻¹ = L⁻ᵀ D⁻¹ L⁻¹.
    for i in 0..N {
        for j in 0..=i {
            let first = if i == j { 1.0 } else { x[i][j] };
            let mut value = pivot[i] * first;
            for k in i + 1..N {
                value += x[k][i] * pivot[k] * x[k][j];
            }
            out[i][j] = value;
            out[j][i] = value;
        }
    }
}

fn invert_any(matrix: &[f64], added: &[f64], inverse: &mut [f64], l: &mut [f64]) {
    let n = added.len();
    // `l` holds L below its diagonal, one over D on it, and L D, transposed, above.
    for j in 0..n {
        let mut diagonal = matrix[j * n + j] + added[j];
        for k in 0..j {
            diagonal -= l[j * n + k] * l[k * n + j];
        }
        let pivot = 1.0 / diagonal.max(LEAST);
        l[j * n + j] = pivot;
        for i in j + 1..n {
            let mut value = matrix[i * n + j];
            for k in 0..j {
                value -= l[i * n + k] * l[k * n + j];
            }
            l[j * n + i] = value;
            l[i * n + j] = value * pivot;
        }
    }
    // L⁻¹ takes L D's place, transposed.
    for j in 0..n {
        for i in j + 1..n {
            let mut value = -l[i * n + j];
            for k in j + 1..i {
                value -= l[i * n + k] * l[j * n + k];
            }
            l[j * n + i] = value;
        }
    }
    for i in 0..n {
        for j in 0..=i {
            let first = if i == j { 1.0 } else { l[j * n + i] };
            let mut value = l[i * n + i] * first;
            for k in i + 1..n {
                value += l[i * n + k] * l[k * n + k] * l[j * n + k];
            }
            inverse[i * n + j] = value;
            inverse[j * n + i] = value;
        }
    }
}

fn rows<const N: usize>(matrix: &[f64]) -> Option<&[[f64; N]; N]> {
    matrix.as_chunks().0.try_into().ok()
}

fn rows_mut<const N: usize>(matrix: &mut [f64]) -> Option<&mut [[f64; N]; N]> {
    matrix.as_chunks_mut().0.try_into().ok()
}

/// `out = matrix · vector`, row by row.
pub(crate) fn multiply(matrix: &[f64], vector: &[f64], out: &mut [f64]) {
    match vector.len() {
        5 => multiply_fixed::<5>(matrix, vector, out),
        6 => multiply_fixed::<6>(matrix, vector, out),
        7 => multiply_fixed::<7>(matrix, vector, out),
        8 => multiply_fixed::<8>(matrix, vector, out),
        n => {
            out.fill(0.0);
            // Columns are rows.
            for (column, factor) in matrix.chunks_exact(n.max(1)).zip(vector) {
                for (out, value) in out.iter_mut().zip(column) {
                    *out += value * factor;
                }
            }
        }
    }
}

fn multiply_fixed<const N: usize>(matrix: &[f64], vector: &[f64], out: &mut [f64]) {
    let (Some(a), Ok(vector)) = (rows::<N>(matrix), <&[f64; N]>::try_from(vector)) else {
        return;
    };
    let mut sum = [0.0; N];
    for (column, factor) in a.iter().zip(vector) {
        for (sum, value) in sum.iter_mut().zip(column) {
            *sum += value * factor;
        }
    }
    out.copy_from_slice(&sum);
}

#[cfg(test)]
mod tests {
    use super::{invert, invert_any, multiply};

    /// A positive matrix with no pattern.
    fn matrix(n: usize) -> (Vec<f64>, Vec<f64>) {
        let root: Vec<f64> = (0..n * n).map(|i| (i as f64 * 1.7).sin()).collect();
        let mut square = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                square[i * n + j] = (0..n).map(|k| root[i * n + k] * root[j * n + k]).sum();
            }
        }
        (square, (0..n).map(|i| 0.1 + i as f64).collect())
    }

    #[test]
    fn a_matrix_times_its_inverse_is_one_for_every_size() {
        for n in 1..=10 {
            let (mut a, added) = matrix(n);
            let (mut inverse, mut scratch) = (vec![0.0; n * n], vec![0.0; n * n]);
            invert(&a, &added, &mut inverse, &mut scratch);
            for (i, added) in added.iter().enumerate() {
                a[i * n + i] += added;
            }
            for i in 0..n {
                let mut unit = vec![f64::NAN; n];
                multiply(&a, &inverse[i * n..(i + 1) * n], &mut unit);
                for (j, value) in unit.iter().enumerate() {
                    let wanted = f64::from(u8::from(i == j));
                    assert!((value - wanted).abs() < 1e-9, "{n}: {i}, {j}: {value}");
                }
            }
        }
    }

    #[test]
    fn both_ways_give_the_same_bits() {
        for n in 5..=8 {
            let (a, added) = matrix(n);
            let [mut first, mut second, mut scratch] = [(); 3].map(|()| vec![0.0; n * n]);
            invert(&a, &added, &mut first, &mut scratch);
            invert_any(&a, &added, &mut second, &mut scratch);
            assert_eq!(first, second);
        }
    }
}

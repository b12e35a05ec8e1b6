//! `NumPy`'s arrays: checked, and as slices.

use numpy::{PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::problem::Problem;

/// An array without gaps of this shape, to be read; anything else is refused with what was expected.
pub(crate) fn read<'py, T: numpy::Element>(
    what: &str,
    array: &Bound<'py, PyAny>,
    shape: &[usize],
) -> Result<PyReadonlyArrayDyn<'py, T>, Problem> {
    let wrong = |got: String| {
        let wanted = std::any::type_name::<T>();
        Problem::argument(format!(
            "{what}: got {got}; expected a NumPy array of {wanted} with shape {shape:?}, C-contiguous"
        ))
    };
    let Ok(array) = array.cast::<PyArrayDyn<T>>() else {
        return Err(wrong(described(array)));
    };
    if array.shape() != shape || !array.is_c_contiguous() {
        return Err(wrong(described(array.as_any())));
    }
    array
        .try_readonly()
        .map_err(|_being_written| wrong("an array that is being written".to_owned()))
}

fn described(array: &Bound<'_, PyAny>) -> String {
    let of = |name: &str| {
        let value = array.getattr(name).and_then(|value| value.str());
        value.map(|value| value.to_string())
    };
    match (of("dtype"), of("shape")) {
        (Ok(dtype), Ok(shape)) => format!("one of {dtype} with shape {shape}"),
        _ => array.get_type().name().map_or_else(
            |_nameless| "something else".to_owned(),
            |name| name.to_string(),
        ),
    }
}

/// Actions of this shape: taken as they are, or made of whatever `NumPy` can make an array of.
pub(crate) fn actions<'py>(
    py: Python<'py>,
    given: &Bound<'py, PyAny>,
    shape: &[usize],
) -> PyResult<PyReadonlyArrayDyn<'py, f32>> {
    static AS_ARRAY: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    if let Ok(array) = given.cast::<PyArrayDyn<f32>>()
        && array.is_c_contiguous()
    {
        return Ok(read("the action", given, shape)?);
    }
    let convert = AS_ARRAY.import(py, "numpy", "ascontiguousarray")?;
    let made = convert.call1((given, numpy::dtype::<f32>(py)))?;
    Ok(read("the action", &made, shape)?)
}

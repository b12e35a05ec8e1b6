//! Natively a vector, moved between threads.

/// Bytes that travel without a copy.
#[derive(Clone)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// How many bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A copy of the bytes.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// Writes the numbers that the bytes are, little-endian, into `out`; answers whether there are
    /// exactly as many. Nothing is allocated.
    #[must_use]
    pub fn read_f32(&self, out: &mut [f32]) -> bool {
        let fits = self.0.len() == size_of_val(out);
        if fits {
            let (bytes, _) = self.0.as_chunks::<{ size_of::<f32>() }>();
            for (number, bytes) in out.iter_mut().zip(bytes) {
                *number = f32::from_le_bytes(*bytes);
            }
        }
        fits
    }

    /// The same for numbers of eight bytes.
    #[must_use]
    pub fn read_f64(&self, out: &mut [f64]) -> bool {
        let fits = self.0.len() == size_of_val(out);
        if fits {
            let (bytes, _) = self.0.as_chunks::<{ size_of::<f64>() }>();
            for (number, bytes) in out.iter_mut().zip(bytes) {
                *number = f64::from_le_bytes(*bytes);
            }
        }
        fits
    }

    /// The bytes; not copied.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

impl From<&[u8]> for Buffer {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<&[f32]> for Buffer {
    fn from(numbers: &[f32]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        Self(bytes.collect())
    }
}

impl From<&[f64]> for Buffer {
    fn from(numbers: &[f64]) -> Self {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        Self(bytes.collect())
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

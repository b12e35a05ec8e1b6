//! Between the pages of a column and what decodes them: what the parquet crate takes for granted is
//! checked here, so that damaged pages are errors.
//!
//! - Texts and bytes each follow their length; the crate reads a length without looking whether the
//!   page has it. A page gets a last length behind its end that nothing can have, so that reading
//!   beyond the end is "not enough bytes".
//! - Values that are numbers of a dictionary need one before.
//! - Encodings that no writer of LeRobot datasets uses are refused.

use bytes::Bytes;
use parquet::basic::{Encoding, Type as Physical};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};

/// Behind the end of a page of texts: with any bytes left before it, a length of about a gigabyte.
const WALL: [u8; 4] = [0x3f; 4];

/// The pages of a column, checked.
pub(super) struct Checked<R> {
    pages: R,
    /// Whether values are texts or bytes of different lengths.
    lengths: bool,
    dictionary: bool,
}

impl<R> Checked<R> {
    /// `physical` is the type of the column's values.
    pub(super) fn new(pages: R, physical: Physical) -> Self {
        Self {
            pages,
            lengths: physical == Physical::BYTE_ARRAY,
            dictionary: false,
        }
    }

    fn check(&mut self, page: &mut Page) -> Result<()> {
        let (buffer, encoding, dictionary) = match page {
            Page::DictionaryPage { buf, encoding, .. } => (buf, *encoding, true),
            Page::DataPage { buf, encoding, .. } | Page::DataPageV2 { buf, encoding, .. } => {
                (buf, *encoding, false)
            }
        };
        match encoding {
            // A dictionary itself is plain, whichever of its two names that has.
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY if dictionary => {
                self.dictionary = true;
                self.wall(buffer);
                Ok(())
            }
            Encoding::PLAIN => {
                self.wall(buffer);
                Ok(())
            }
            Encoding::RLE => Ok(()),
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY if self.dictionary => Ok(()),
            Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY => Err(ParquetError::General(
                "numbers of a dictionary that is not there".to_owned(),
            )),
            other => Err(ParquetError::NYI(format!(
                "the encoding {other}, which LeRobot does not write"
            ))),
        }
    }

    fn wall(&self, buffer: &mut Bytes) {
        if self.lengths {
            let mut walled = Vec::with_capacity(buffer.len() + WALL.len());
            walled.extend_from_slice(buffer);
            walled.extend_from_slice(&WALL);
            *buffer = Bytes::from(walled);
        }
    }
}

impl<R: PageReader> Iterator for Checked<R> {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl<R: PageReader> PageReader for Checked<R> {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let mut page = self.pages.get_next_page()?;
        if let Some(page) = &mut page {
            self.check(page)?;
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

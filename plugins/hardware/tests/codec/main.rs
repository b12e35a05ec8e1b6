//! The codec: known packets byte for byte, round trips, and a parser that finds every good packet.

mod golden;
mod parser;
mod registers;

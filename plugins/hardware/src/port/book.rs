//! Numbers for ports that have no names.
//!
//! A browser tells neither where a port is nor which of two alike it is. So ports are numbered in the
//! order in which they are first seen, and a port keeps its number. One that is unplugged and plugged
//! in again comes back as another object: it gets the number of the one that is missing and was of
//! the same make. Where several are missing that are in use, nobody can tell which of them is back:
//! they get their numbers, in their old order, when all of them are there.

/// What the USB device says of itself: vendor and product.
type Usb = Option<(u16, u16)>;

/// The ports of one thread.
#[derive(Debug)]
pub(crate) struct Book<P> {
    known: Vec<Known<P>>,
}

#[derive(Debug)]
struct Known<P> {
    usb: Usb,
    port: P,
    present: bool,
    /// Whether a line has it, or waits for it.
    held: bool,
}

/// How a number stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found<P> {
    /// It is there.
    There(P),
    /// It was there.
    Missing,
    /// It was there, others like it too, and not all of them are back.
    Doubtful,
    /// No port ever had this number.
    Unknown,
}

impl<P: Clone + PartialEq> Book<P> {
    pub(crate) const fn new() -> Self {
        Self { known: Vec::new() }
    }

    /// Takes note of the ports that are there now.
    pub(crate) fn see(&mut self, ports: &[(P, Usb)]) {
        for known in &mut self.known {
            known.present = ports.iter().any(|(port, _)| *port == known.port);
        }
        let is_known = |book: &Self, port: &P| book.known.iter().any(|known| known.port == *port);
        let fresh: Vec<_> = ports
            .iter()
            .filter(|(port, _)| !is_known(self, port))
            .collect();
        for (index, (port, usb)) in fresh.iter().enumerate() {
            let alike = fresh[index..].iter().filter(|(_, other)| other == usb);
            let missing = self.missing(*usb);
            let held = missing.iter().filter(|place| self.known[**place].held);
            if alike.count() < held.count() {
                continue;
            }
            match missing.first() {
                Some(place) => {
                    self.known[*place].port = port.clone();
                    self.known[*place].present = true;
                }
                None => self.known.push(Known {
                    usb: *usb,
                    port: port.clone(),
                    present: true,
                    held: false,
                }),
            }
        }
    }

    /// Numbers of ports of this make that are not there: those that are held first.
    fn missing(&self, usb: Usb) -> Vec<usize> {
        let missing = |held: bool| {
            let all = self.known.iter().enumerate();
            all.filter(move |(_, it)| !it.present && it.usb == usb && it.held == held)
                .map(|(number, _)| number)
        };
        missing(true).chain(missing(false)).collect()
    }

    /// The ports that are there: number and make.
    pub(crate) fn there(&self) -> impl Iterator<Item = (usize, Usb)> + '_ {
        let all = self.known.iter().enumerate();
        all.filter(|(_, known)| known.present)
            .map(|(number, known)| (number, known.usb))
    }

    /// How a number stands.
    pub(crate) fn find(&self, number: usize) -> Found<P> {
        match self.known.get(number) {
            None => Found::Unknown,
            Some(known) if known.present => Found::There(known.port.clone()),
            Some(known) => {
                let alike = self.missing(known.usb);
                let held = alike.iter().filter(|place| self.known[**place].held);
                match held.count() {
                    2.. => Found::Doubtful,
                    _ => Found::Missing,
                }
            }
        }
    }

    /// A line takes the port of this number, or leaves it. Whether that is as it was not before: a port
    /// has one line.
    pub(crate) fn hold(&mut self, number: usize, held: bool) -> bool {
        match self.known.get_mut(number) {
            Some(known) => std::mem::replace(&mut known.held, held) != held,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM: Usb = Some((0x1A86, 0x55D3));

    fn numbers(book: &Book<char>) -> Vec<usize> {
        book.there().map(|(number, _)| number).collect()
    }

    #[test]
    fn a_port_keeps_its_number() {
        let mut book = Book::new();
        book.see(&[('a', ARM), ('b', None)]);
        assert_eq!(numbers(&book), [0, 1]);
        book.see(&[('b', None)]);
        assert_eq!(numbers(&book), [1]);
        assert_eq!(book.find(0), Found::Missing);
        book.see(&[('c', None), ('b', None)]);
        assert_eq!(book.find(2), Found::There('c'), "of another make");
        book.see(&[('d', ARM), ('c', None), ('b', None)]);
        assert_eq!(book.find(0), Found::There('d'));
        assert_eq!(book.find(3), Found::Unknown);
    }

    #[test]
    fn two_that_are_alike_come_back_together() {
        let mut book = Book::new();
        book.see(&[('a', ARM), ('b', ARM)]);
        assert!(book.hold(0, true) && book.hold(1, true));
        assert!(!book.hold(1, true), "it has a line");
        book.see(&[]);
        assert_eq!(book.find(1), Found::Doubtful);
        book.see(&[('c', ARM)]);
        assert!(numbers(&book).is_empty());
        assert_eq!(book.find(0), Found::Doubtful);
        book.see(&[('c', ARM), ('d', ARM)]);
        assert_eq!(book.find(0), Found::There('c'));
        assert_eq!(book.find(1), Found::There('d'));
    }

    #[test]
    fn one_of_two_that_are_alike_is_told_by_the_other() {
        let mut book = Book::new();
        book.see(&[('a', ARM), ('b', ARM)]);
        assert!(book.hold(0, true) && book.hold(1, true));
        book.see(&[('b', ARM)]);
        book.see(&[('c', ARM), ('b', ARM)]);
        assert_eq!(book.find(0), Found::There('c'));
        assert_eq!(book.find(1), Found::There('b'));
    }
}

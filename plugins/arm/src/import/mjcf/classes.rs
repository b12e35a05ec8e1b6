//! MJCF's defaults: classes of attribute values, each inheriting from its parent.

use std::collections::HashMap;

use crate::import::ImportError;
use crate::import::xml::{Element, Reader, children, quote};

/// Most classes of a model.
const MAX_CLASSES: usize = 1024;

/// Index of a class; 0 is the class that holds everywhere.
pub(super) type ClassId = usize;

/// All default classes.
pub(super) struct Classes<'a> {
    classes: Vec<Class<'a>>,
    by_name: HashMap<&'a str, ClassId>,
}

struct Class<'a> {
    parent: Option<ClassId>,
    /// By element and attribute.
    values: HashMap<(&'a str, &'a str), Value<'a>>,
}

/// An attribute's value, and the element in which it stands.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) text: &'a str,
    pub(super) element: Element<'a>,
}

impl<'a> Classes<'a> {
    /// Reads every `<default>` of the file.
    pub(super) fn read(reader: &Reader, root: Element<'a>) -> Result<Self, ImportError> {
        let mut classes = Self {
            classes: vec![Class {
                parent: None,
                values: HashMap::new(),
            }],
            by_name: HashMap::from([("main", 0)]),
        };
        // Elements with the class that they are in; a parent is read before its children.
        let mut pending: Vec<(Element<'a>, Option<ClassId>)> = children(root)
            .filter(|element| element.has_tag_name("default"))
            .map(|element| (element, None))
            .collect();
        pending.reverse();
        while let Some((element, parent)) = pending.pop() {
            let id = classes.class_of(reader, element, parent)?;
            for child in children(element) {
                let tag = child.tag_name().name();
                if tag == "default" {
                    pending.push((child, Some(id)));
                    continue;
                }
                for attribute in child.attributes() {
                    let value = Value {
                        text: attribute.value(),
                        element: child,
                    };
                    classes.classes[id]
                        .values
                        .insert((tag, attribute.name()), value);
                }
            }
        }
        Ok(classes)
    }

    fn class_of(
        &mut self,
        reader: &Reader,
        element: Element<'a>,
        parent: Option<ClassId>,
    ) -> Result<ClassId, ImportError> {
        let name = element.attribute("class");
        if parent.is_none() {
            if let Some(name) = name {
                self.by_name.insert(name, 0);
            }
            return Ok(0);
        }
        let Some(name) = name else {
            return Err(reader.error(element, "has no `class`; expected a name"));
        };
        if self.by_name.contains_key(name) {
            let problem = format!("is a second class `{}`; expected unique names", quote(name));
            return Err(reader.error(element, problem));
        }
        if self.classes.len() == MAX_CLASSES {
            let problem = format!("is one class too many; expected at most {MAX_CLASSES}");
            return Err(reader.error(element, problem));
        }
        self.by_name.insert(name, self.classes.len());
        self.classes.push(Class {
            parent,
            values: HashMap::new(),
        });
        Ok(self.classes.len() - 1)
    }

    /// The class that an attribute (`class` or `childclass`) of this element names, if it is there.
    pub(super) fn named(
        &self,
        reader: &Reader,
        element: Element<'a>,
        attribute: &str,
    ) -> Result<Option<ClassId>, ImportError> {
        let Some(name) = element.attribute(attribute) else {
            return Ok(None);
        };
        self.by_name.get(name).copied().map(Some).ok_or_else(|| {
            let problem = format!(
                "{attribute} `{}` is not defined; expected a class from <default>",
                quote(name)
            );
            reader.error(element, problem)
        })
    }

    /// An element's attributes, seen through its class.
    pub(super) fn resolve(&self, element: Element<'a>, class: ClassId) -> Resolved<'a, '_> {
        Resolved {
            element,
            class,
            classes: self,
        }
    }
}

/// An element's attributes, its own or its class's.
#[derive(Clone, Copy)]
pub(super) struct Resolved<'a, 'c> {
    pub(super) element: Element<'a>,
    class: ClassId,
    classes: &'c Classes<'a>,
}

impl<'a> Resolved<'a, '_> {
    /// The value of an attribute, if it is given anywhere.
    pub(super) fn get(&self, name: &'a str) -> Option<Value<'a>> {
        if let Some(text) = self.element.attribute(name) {
            return Some(Value {
                text,
                element: self.element,
            });
        }
        let tag = self.element.tag_name().name();
        let mut next = Some(self.class);
        while let Some(class) = next.and_then(|id| self.classes.classes.get(id)) {
            if let Some(value) = class.values.get(&(tag, name)) {
                return Some(*value);
            }
            next = class.parent;
        }
        None
    }

    pub(super) fn text(&self, name: &'a str) -> Option<&'a str> {
        self.get(name).map(|value| value.text)
    }

    pub(super) fn numbers<const N: usize>(
        &self,
        reader: &Reader,
        name: &'a str,
    ) -> Result<Option<[f64; N]>, ImportError> {
        self.get(name)
            .map(|value| reader.parse_numbers(value.element, name, value.text))
            .transpose()
    }

    pub(super) fn number(
        &self,
        reader: &Reader,
        name: &'a str,
    ) -> Result<Option<f64>, ImportError> {
        Ok(self.numbers::<1>(reader, name)?.map(|[number]| number))
    }

    /// A number that must not be negative.
    pub(super) fn not_negative(
        &self,
        reader: &Reader,
        name: &'a str,
    ) -> Result<Option<f64>, ImportError> {
        let number = self.number(reader, name)?;
        match number {
            Some(number) if number < 0.0 => {
                let problem = format!("{name} is {number}; expected 0 or more");
                Err(reader.error(self.element, problem))
            }
            _ => Ok(number),
        }
    }

    pub(super) fn list(
        &self,
        reader: &Reader,
        name: &'a str,
        most: usize,
    ) -> Result<Option<Vec<f64>>, ImportError> {
        self.get(name)
            .map(|value| reader.parse_list(value.element, name, value.text, most))
            .transpose()
    }
}

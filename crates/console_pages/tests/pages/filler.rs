//! Fills a view by its own shape: every string, number and list of it, so that no field can be forgotten.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor, value::Error,
};

/// What a view is filled with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filler<'t> {
    /// Every string.
    pub(crate) text: &'t str,
    /// Whether lists have elements and options a value.
    pub(crate) is_full: bool,
    /// Which variant of an enum, counted round.
    pub(crate) variant: usize,
}

/// Elements of a list: as many as the largest enum has variants, so that a list has one of each.
const ELEMENTS: usize = 8;
/// A moment, an id, a count.
const NUMBER: i64 = 1_778_457_600_000;

macro_rules! numbers {
    ($($method:ident $visit:ident $value:expr;)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit($value)
        })+
    };
}

impl<'de> Deserializer<'de> for Filler<'_> {
    type Error = Error;

    numbers! {
        deserialize_i8 visit_i8 5;
        deserialize_i16 visit_i16 2026;
        deserialize_i32 visit_i32 21;
        deserialize_i64 visit_i64 NUMBER;
        deserialize_u8 visit_u8 7;
        deserialize_u16 visit_u16 404;
        deserialize_u32 visit_u32 12;
        deserialize_u64 visit_u64 3;
        deserialize_f32 visit_f32 0.5;
        deserialize_f64 visit_f64 0.5;
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("a view is of plain types"))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.is_full)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.is_full { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let count = if self.is_full { ELEMENTS } else { 0 };
        visitor.visit_seq(Elements { filler: self, at: 0, count, is_list: true })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(Elements { filler: self, at: 0, count, is_list: false })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Fields { filler: self, fields })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(Variant { filler: self, name: variants[self.variant % variants.len()] })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.text)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct newtype_struct tuple_struct map ignored_any
    }
}

struct Elements<'t> {
    filler: Filler<'t>,
    at: usize,
    count: usize,
    is_list: bool,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.at == self.count {
            return Ok(None);
        }
        let variant = if self.is_list { self.at } else { self.filler.variant };
        self.at += 1;
        seed.deserialize(Filler { variant, ..self.filler }).map(Some)
    }
}

struct Fields<'t> {
    filler: Filler<'t>,
    fields: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((first, rest)) = self.fields.split_first() else { return Ok(None) };
        self.fields = rest;
        seed.deserialize((*first).into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        seed.deserialize(self.filler)
    }
}

struct Variant<'t> {
    filler: Filler<'t>,
    name: &'static str,
}

impl<'de> EnumAccess<'de> for Variant<'_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        Ok((seed.deserialize(self.name.into_deserializer())?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        seed.deserialize(self.filler)
    }

    fn tuple_variant<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value, Error> {
        self.filler.deserialize_tuple(count, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Fields { filler: self.filler, fields })
    }
}

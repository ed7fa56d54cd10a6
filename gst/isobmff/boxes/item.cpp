#include "gst/isobmff/boxes/item.h"

namespace hull::isobmff {

void PrimaryItem::fields(Fields &f) {
  FullBox::fields(f);
  f.u("item_ID", f.wide_when(version != 0) / 2, item_id);
}

void ItemLocation::Item::fields(Fields &f, const ItemLocation &box) {
  f.u("item_ID", box.version < 2 ? 16 : 32, item_id);
  if (box.has_indices()) {
    f.reserved(12);
    f.u("construction_method", 4, construction_method);
  }
  f.u("data_reference_index", 16, data_reference_index);
  f.u("base_offset", box.base_offset_size * 8u, base_offset);
  const unsigned index_size = box.has_indices() ? box.index_size : 0;
  f.count("extent_count", 16, extents, (index_size + box.offset_size + box.length_size) * 8u);
  for (Extent &extent : extents) {
    f.u("item_reference_index", index_size * 8u, extent.item_reference_index);
    f.u("extent_offset", box.offset_size * 8u, extent.extent_offset);
    f.u("extent_length", box.length_size * 8u, extent.extent_length);
  }
}

void ItemLocation::fields(Fields &f) {
  FullBox::fields(f);
  f.u("offset_size", 4, offset_size);
  f.u("length_size", 4, length_size);
  f.u("base_offset_size", 4, base_offset_size);
  if (has_indices())
    f.u("index_size", 4, index_size);
  else
    f.reserved(4);
  if (offset_size > 8 || length_size > 8 || base_offset_size > 8 || (has_indices() && index_size > 8))
    return f.fail("a size of its numbers is above 8 bytes");
  f.count("item_count", version < 2 ? 16 : 32, items, version < 2 ? 48 : 64);
  for (Item &item : items)
    item.fields(f, *this);
}

void ItemInfo::fields(Fields &f) {
  FullBox::fields(f);
  f.u("entry_count", f.wide_when(version != 0) / 2, entry_count);
}

void ItemInfoEntry::fields(Fields &f) {
  FullBox::fields(f);
  f.u("item_ID", version < 3 ? 16 : 32, item_id);
  f.u("item_protection_index", 16, item_protection_index);
  if (version >= 2) f.code("item_type", item_type.value);
  f.text("item_name", item_name);
  if (version >= 2 && item_type == FourCC("uri ")) f.text("item_uri_type", item_uri_type);
  if (version >= 2 && item_type != FourCC("mime")) return;
  f.text("content_type", content_type);
  has_content_encoding = f.optional(has_content_encoding);
  if (has_content_encoding) f.text("content_encoding", content_encoding);
  if (version == 1) f.rest("extension", extension);
}

void ItemReferences::Reference::fields(Fields &f) {
  const auto needed = [this] {
    return static_cast<std::uint32_t>(10 + id_bits / 8 * (to_item_ids.size() + 1));
  };
  if (!f.reading()) size = needed();
  f.u("size", 32, size);
  f.code("type", type.value);
  f.u("from_item_ID", id_bits, from_item_id);
  f.count("reference_count", 16, to_item_ids, id_bits);
  for (auto &id : to_item_ids)
    f.u("to_item_ID", id_bits, id);
  if (size != needed()) f.fail("a reference does not fill its box");
}

void ItemReferences::fields(Fields &f) {
  FullBox::fields(f);
  const auto bits = static_cast<std::uint8_t>(version == 0 ? 16 : 32);
  f.groups("reference", references, 80 + bits, [bits](Reference &reference) { reference.id_bits = bits; });
}

void ItemProtection::fields(Fields &f) {
  FullBox::fields(f);
  f.u("protection_count", 16, protection_count);
}

void ItemPropertyAssociation::fields(Fields &f) {
  FullBox::fields(f);
  const unsigned index_bits = flags & kWideIndex ? 15 : 7;
  f.count("entry_count", 32, entries, version == 0 ? 24 : 40);
  for (Entry &entry : entries) {
    f.u("item_ID", version == 0 ? 16 : 32, entry.item_id);
    f.count("association_count", 8, entry.associations, index_bits + 1);
    for (Association &association : entry.associations) {
      f.flag("essential", association.essential);
      f.u("property_index", index_bits, association.property_index);
    }
  }
}

void EntityToGroup::fields(Fields &f) {
  FullBox::fields(f);
  f.u("group_id", 32, group_id);
  f.count("num_entities_in_group", 32, entity_ids, 32);
  for (auto &id : entity_ids)
    f.u("entity_id", 32, id);
  f.rest("more", more);
}

void XmlBox::fields(Fields &f) {
  FullBox::fields(f);
  f.text("xml", xml);
}

void BinaryXml::fields(Fields &f) {
  FullBox::fields(f);
  f.rest("data", data);
}

void ImageSpatialExtents::fields(Fields &f) {
  FullBox::fields(f);
  f.u("image_width", 32, image_width);
  f.u("image_height", 32, image_height);
}

void PixelInformation::fields(Fields &f) {
  FullBox::fields(f);
  f.count("num_channels", 8, bits_per_channel, 8);
  for (auto &bits : bits_per_channel)
    f.u("bits_per_channel", 8, bits);
  if (flags & 1) f.rest("more", more);
}

void ImageRotation::fields(Fields &f) {
  f.reserved(6);
  f.u("angle", 2, angle);
}

void ImageMirror::fields(Fields &f) {
  f.reserved(7);
  f.u("axis", 1, axis);
}

void AuxiliaryType::fields(Fields &f) {
  FullBox::fields(f);
  f.text("aux_type", aux_type);
  f.rest("aux_subtype", aux_subtype);
}

void RelativeLocation::fields(Fields &f) {
  FullBox::fields(f);
  f.u("horizontal_offset", 32, horizontal_offset);
  f.u("vertical_offset", 32, vertical_offset);
}

void ImageScaling::fields(Fields &f) {
  FullBox::fields(f);
  f.u("target_width_numerator", 16, target_width_numerator);
  f.u("target_width_denominator", 16, target_width_denominator);
  f.u("target_height_numerator", 16, target_height_numerator);
  f.u("target_height_denominator", 16, target_height_denominator);
}

void LayerSelector::fields(Fields &f) {
  f.u("layer_id", 16, layer_id);
}

void TargetOls::fields(Fields &f) {
  FullBox::fields(f);
  f.u("target_ols_idx", 16, target_ols_idx);
}

void RequiredReferenceTypes::fields(Fields &f) {
  FullBox::fields(f);
  f.count("reference_type_count", 8, reference_types, 32);
  for (FourCC &type : reference_types)
    f.code("reference_type", type.value);
}

void ItemTime::fields(Fields &f) {
  FullBox::fields(f);
  f.u("time", 64, time);
}

void UserDescription::fields(Fields &f) {
  FullBox::fields(f);
  f.text("lang", lang);
  f.text("name", name);
  f.text("description", description);
  f.text("tags", tags);
}

void AccessibilityText::fields(Fields &f) {
  FullBox::fields(f);
  f.text("alt_text", alt_text);
  f.text("alt_lang", alt_lang);
}

void ByteProperty::fields(Fields &f) {
  FullBox::fields(f);
  f.u("value", 8, value);
}

void Av1OperatingPoint::fields(Fields &f) {
  f.u("op_index", 8, op_index);
}

void Av1LayeredImage::fields(Fields &f) {
  f.reserved(7);
  f.flag("large_size", large_size);
  for (auto &size : layer_size)
    f.u("layer_size", large_size ? 32 : 16, size);
}

void CameraIntrinsics::fields(Fields &f) {
  FullBox::fields(f);
  f.i("focal_length_x", 32, focal_length_x);
  f.i("principal_point_x", 32, principal_point_x);
  f.i("principal_point_y", 32, principal_point_y);
  if (!(flags & 1)) return;
  f.i("focal_length_y", 32, focal_length_y);
  f.i("skew_factor", 32, skew_factor);
}

void CameraExtrinsics::fields(Fields &f) {
  FullBox::fields(f);
  if (flags & kX) f.i("pos_x", 32, pos_x);
  if (flags & kY) f.i("pos_y", 32, pos_y);
  if (flags & kZ) f.i("pos_z", 32, pos_z);
  const unsigned width = flags & kWide ? 32 : 16;
  if (flags & kOrientation) {
    f.i("quat_x", width, quat_x);
    f.i("quat_y", width, quat_y);
    f.i("quat_z", width, quat_z);
  }
  if (flags & kId) f.u("world_coordinate_system_id", 32, world_coordinate_system_id);
}

} // namespace hull::isobmff

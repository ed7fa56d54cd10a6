// Rules of items: ISO/IEC 14496-12 8.11, images of ISO/IEC 23008-12.

#include "gst/isobmff/boxes/item.h"
#include "gst/isobmff/rules/iso.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace hull::isobmff::iso {
namespace {

std::set<std::uint32_t> items_of(const Node &meta, Findings &out) {
  std::set<std::uint32_t> ids;
  const Node *iinf = meta.child(ItemInfo::kType);
  if (!iinf) return ids;
  for (const Node &child : iinf->children) {
    const auto *entry = child.as<ItemInfoEntry>();
    if (entry && !ids.insert(entry->item_id).second)
      report(out, "ISO-20", &child, fmt::format("two items have the ID {}", entry->item_id));
  }
  const Node *grpl = meta.child("grpl"); // groups have their IDs among the items'
  for (std::size_t i = 0; grpl && i < grpl->children.size(); ++i)
    if (const auto *group = grpl->children[i].as<EntityToGroup>()) ids.insert(group->group_id);
  return ids;
}

std::uint64_t size_of(const Node *idat) {
  if (const auto *stored = idat ? idat->as<Stored>() : nullptr) return stored->size;
  const auto *data = idat ? idat->as<Opaque>() : nullptr;
  return data ? data->data.size() : 0;
}

void check_places(const Node &meta, const Media &media, Findings &out) {
  const auto *iloc = meta.get<ItemLocation>();
  if (!iloc) return;
  const Node *where = meta.child(ItemLocation::kType);
  const std::uint64_t idat = size_of(meta.child("idat"));
  for (const auto &item : iloc->items) {
    if (item.data_reference_index != 0 || item.construction_method > 1) continue;
    const std::uint64_t end = item.construction_method == 1 ? idat : media.file_size;
    for (const auto &extent : item.extents) {
      const std::uint64_t begin = item.base_offset + extent.extent_offset;
      if (begin <= end && extent.extent_length <= end - begin) continue;
      report(out, "ISO-20", where,
             fmt::format("item {} reaches from {} to {}, past the end of {} at {}", item.item_id, begin,
                         begin + extent.extent_length, item.construction_method == 1 ? "idat" : "the file",
                         end));
    }
  }
}

void check_properties(const Node &meta, const std::set<std::uint32_t> &items, Findings &out) {
  const Node *iprp = meta.child("iprp");
  const Node *ipco = iprp ? iprp->child("ipco") : nullptr;
  if (!iprp) return;
  const std::size_t properties = ipco ? ipco->children.size() : 0;
  for (const Node &child : iprp->children) {
    const auto *ipma = child.as<ItemPropertyAssociation>();
    if (!ipma) continue;
    for (const auto &entry : ipma->entries) {
      if (!items.contains(entry.item_id))
        report_as(out, "ISO-20", Level::should, &child,
                  fmt::format("ipma gives properties to item {}, which is not there", entry.item_id));
      for (const auto &association : entry.associations)
        if (association.property_index > properties)
          report(out, "ISO-20", &child,
                 fmt::format("item {} has property {}, ipco has {}", entry.item_id,
                             association.property_index, properties));
    }
  }
}

} // namespace

void iso_20(const Node &meta, const Media &media, Findings &out) {
  if (!meta.child(ItemInfo::kType)) return; // metadata of another kind
  const std::set<std::uint32_t> items = items_of(meta, out);
  if (const auto *pitm = meta.get<PrimaryItem>(); pitm && !items.contains(pitm->item_id))
    report(out, "ISO-20", meta.child(PrimaryItem::kType),
           fmt::format("the primary item is {}, which is not there", pitm->item_id));
  check_places(meta, media, out);
  check_properties(meta, items, out);
  const auto *iref = meta.get<ItemReferences>();
  if (!iref) return;
  for (const auto &reference : iref->references)
    if (!items.contains(reference.from_item_id))
      report(out, "ISO-20", meta.child(ItemReferences::kType),
             fmt::format("{} refers from item {}, which is not there", shown(reference.type),
                         reference.from_item_id));
}

} // namespace hull::isobmff::iso

#include "gst/glue/raise.h"
#include "gst/glue/ref.h"
#include "gst/glue/shell.h"

#include <gtest/gtest.h>

namespace hull {
namespace {

enum class Mode { slow = 1, fast = 2 };
const GEnumValue kModeValues[] = {
    {1, "Slow and careful", "slow"}, {2, "Fast", "fast"}, {0, nullptr, nullptr}};
const EnumTable kModes{"HullTestMode", kModeValues};
enum class Parts : unsigned { none = 0, left = 1, right = 2 };
const GEnumValue kPartValues[] = {{1, "Left", "left"}, {2, "Right", "right"}, {0, nullptr, nullptr}};
const EnumTable kParts{"HullTestParts", kPartValues};

struct TestSettings {
  bool on = true;
  std::uint32_t rate = 500;
  std::int32_t shift = -3;
  std::uint64_t interval = G_MAXUINT64;
  std::int64_t offset = G_MININT64;
  double share = 0.25;
  std::string location;
  Mode mode = Mode::fast;
  Parts parts = Parts::right;
};

class TestElement : public Configured<TestSettings> {
 public:
  using Base = GstElement;
  using BaseClass = GstElementClass;
  static constexpr char kTypeName[] = "HullTestElement";
  static GType parent_type() { return GST_TYPE_ELEMENT; }
  static std::span<const Property<TestSettings>> properties();
  static void class_init(GstElementClass *klass) {
    gst_element_class_set_static_metadata(klass, "Test", "Test", "Test", "Test");
    klass->change_state = thunk<&TestElement::change_state>;
  }
  explicit TestElement(GstElement *) { ++alive; }
  ~TestElement() { --alive; }

  std::string summary() const { return "rate " + std::to_string(snapshot().rate); }
  StructureRef stats() const {
    return StructureRef::adopt(gst_structure_new("stats", "n", G_TYPE_INT, 7, nullptr));
  }
  void property_changed(const char *name) { changed = name; }
  GstStateChangeReturn change_state(GstStateChange) { throw std::bad_alloc(); }

  std::string changed;
  static inline int alive = 0;
};

const Property<TestSettings> kProperties[] = {
    property<&TestSettings::on>("on", "Whether it works"),
    property<&TestSettings::rate>("rate", "Rate in kbit/s", Mutable::playing, 1, 1000),
    property<&TestSettings::shift>("shift", "Shift in pixels", Mutable::ready, -10, 10),
    property<&TestSettings::interval>("interval", "Interval in nanoseconds"),
    property<&TestSettings::offset>("offset", "Offset in nanoseconds"),
    property<&TestSettings::share>("share", "Share of the whole", Mutable::ready, 0, 1),
    property<&TestSettings::location>("location", "Path of the file"),
    property<&TestSettings::mode>("mode", "How to work", Mutable::ready, kModes),
    flags_property<&TestSettings::parts>("parts", "Which parts", Mutable::ready, kParts),
    computed<&TestElement::summary>("summary", "The rate in words"),
    computed<&TestElement::stats>("stats", "Counters"),
};
std::span<const Property<TestSettings>> TestElement::properties() {
  return kProperties;
}

class ShellTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  ElementRef element_ = ElementRef::retain(GST_ELEMENT(g_object_new(shell_type<TestElement>(), nullptr)));
};

TEST_F(ShellTest, DefaultsAreTheMembersInitialisers) {
  guint rate = 0;
  guint64 interval = 0;
  gint64 offset = 0;
  int mode = 0;
  guint parts = 0;
  char *location = nullptr;
  g_object_get(element_.get(), "rate", &rate, "interval", &interval, "offset", &offset, "mode", &mode,
               "parts", &parts, "location", &location, nullptr);
  EXPECT_EQ(rate, 500u);
  EXPECT_EQ(interval, G_MAXUINT64);
  EXPECT_EQ(offset, G_MININT64);
  EXPECT_EQ(mode, 2);
  EXPECT_EQ(parts, 2u);
  EXPECT_EQ(location, nullptr);
}

TEST_F(ShellTest, ASetReachesTheSettingsAndIsReported) {
  gst_util_set_object_arg(G_OBJECT(element_.get()), "mode", "slow");
  gst_util_set_object_arg(G_OBJECT(element_.get()), "parts", "left+right");
  g_object_set(element_.get(), "rate", 750u, "location", "x.json", nullptr);
  const TestElement &impl = Shell<TestElement>::of(element_.get());
  EXPECT_EQ(impl.snapshot().mode, Mode::slow);
  EXPECT_EQ(static_cast<unsigned>(impl.snapshot().parts), 3u);
  EXPECT_EQ(impl.snapshot().rate, 750u);
  EXPECT_EQ(impl.snapshot().location, "x.json");
  EXPECT_EQ(impl.changed, "location");
}

TEST_F(ShellTest, ComputedPropertiesAreReadOnly) {
  char *summary = nullptr;
  GstStructure *stats = nullptr;
  g_object_get(element_.get(), "summary", &summary, "stats", &stats, nullptr);
  EXPECT_STREQ(summary, "rate 500");
  ASSERT_NE(stats, nullptr);
  int n = 0;
  EXPECT_TRUE(gst_structure_get_int(stats, "n", &n));
  EXPECT_EQ(n, 7);
  g_free(summary);
  gst_structure_free(stats);
  const GParamSpec *spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element_.get()), "summary");
  EXPECT_FALSE(spec->flags & G_PARAM_WRITABLE);
}

TEST_F(ShellTest, AnExceptionBecomesAnElementErrorNotACrash) {
  const auto bus = ObjectRef<GstBus>::adopt(gst_bus_new());
  gst_element_set_bus(element_.get(), bus.get());
  EXPECT_EQ(gst_element_set_state(element_.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  const auto message = MessageRef::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  EXPECT_TRUE(message);
  gst_element_set_bus(element_.get(), nullptr);
}

TEST_F(ShellTest, TheImplLivesAsLongAsTheObject) {
  const int before = TestElement::alive;
  EXPECT_GE(before, 1);
  element_ = ElementRef();
  EXPECT_EQ(TestElement::alive, before - 1);
}

} // namespace
} // namespace hull

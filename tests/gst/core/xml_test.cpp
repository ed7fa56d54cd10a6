#include "gst/core/xml.h"

#include <gtest/gtest.h>

namespace hull {
namespace {

TEST(Xml, ReferencesAndCdataAreText) {
  const auto root =
      parse_xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?><!-- a comment -->\n"
                "<MPD><Title><![CDATA[Tom & <Jerry>]]> and &#72;&#x75;ll &amp; &lt;more&gt;</Title>"
                "<S init='a?b=1&#38;c=&quot;2&quot;'/></MPD>");
  ASSERT_TRUE(root) << root.error().text;
  EXPECT_EQ(root->name, "MPD");
  EXPECT_EQ(root->child("Title")->text, "Tom & <Jerry> and Hull & <more>");
  EXPECT_EQ(root->child("S")->get("init"), "a?b=1&c=\"2\"");
}

TEST(Xml, NamesComeWithoutPrefixAndNamespacesByThemselves) {
  const auto root =
      parse_xml("<t:tt xmlns:t=\"urn:a\" xmlns=\"urn:b\" xml:lang=\"de\" t:profile='p'><t:p end=\"1s\"/>"
                "<t:p end=\"2s\">x<br/>y</t:p></t:tt>");
  ASSERT_TRUE(root);
  EXPECT_EQ(root->name, "tt");
  EXPECT_EQ(root->namespaces, (std::vector<std::string>{"urn:a", "urn:b"}));
  EXPECT_EQ(root->get("lang"), "de");
  EXPECT_EQ(root->get("profile"), "p");
  EXPECT_EQ(root->get("absent"), "");
  ASSERT_EQ(root->all("p").size(), 2u);
  EXPECT_EQ(root->all("p")[1]->text, "xy");
}

TEST(Xml, WhatIsNotWellFormedIsRefusedWhereverItIsCut) {
  const std::string whole = "<a b=\"c\"><d>e</d><![CDATA[f]]></a>";
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_xml(whole.substr(0, size))) << size;
  EXPECT_TRUE(parse_xml(whole));
  for (const char *text : {"", "text", "<a></b>", "<a b=c/>", "<a><b></a></b>", "<a b=\"1\"", "<>"})
    EXPECT_FALSE(parse_xml(text)) << text;
}

TEST(Xml, DepthIsLimitedAndEntitiesOfADtdStayWhatTheyAre) {
  const auto nested = [](unsigned depth) {
    std::string text;
    for (unsigned i = 0; i < depth; ++i)
      text += "<a>";
    for (unsigned i = 0; i < depth; ++i)
      text += "</a>";
    return text;
  };
  EXPECT_TRUE(parse_xml(nested(64)));
  EXPECT_FALSE(parse_xml(nested(66)));
  EXPECT_FALSE(parse_xml(nested(100'000)));
  const auto dtd =
      parse_xml("<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\"><!ENTITY c \"cccc\">]><a>&b;&c;</a>");
  ASSERT_TRUE(dtd);
  EXPECT_EQ(dtd->text, "&b;&c;");
}

} // namespace
} // namespace hull

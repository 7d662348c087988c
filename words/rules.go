package words

// What the rules of the advice fill in.
var (
	GoogleCloud    = text("rules.google-cloud", "Google Cloud")
	NetworkOnesOwn = text("rules.network-ones-own", "a network of one's own")
	AlibabaCloud   = text("rules.alibaba-cloud", "Alibaba Cloud")
	HuaweiCloud    = text("rules.huawei-cloud", "Huawei Cloud")
	Cloud          = text("rules.cloud", "the cloud")
)

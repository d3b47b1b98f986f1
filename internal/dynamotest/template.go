package dynamotest

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.yaml.in/yaml/v3"
)

// table is what CloudFormation and CreateTable have in common.
type table struct {
	AttributeDefinitions []struct {
		AttributeName string `yaml:"AttributeName"`
		AttributeType string `yaml:"AttributeType"`
	} `yaml:"AttributeDefinitions"`
	KeySchema              []key `yaml:"KeySchema"`
	GlobalSecondaryIndexes []struct {
		IndexName  string `yaml:"IndexName"`
		KeySchema  []key  `yaml:"KeySchema"`
		Projection struct {
			ProjectionType   string   `yaml:"ProjectionType"`
			NonKeyAttributes []string `yaml:"NonKeyAttributes"`
		} `yaml:"Projection"`
	} `yaml:"GlobalSecondaryIndexes"`
}

type key struct {
	AttributeName string `yaml:"AttributeName"`
	KeyType       string `yaml:"KeyType"`
}

// tableInTemplate reads the signups table out of template.yaml, so that tests
// can't run on another one than is deployed.
func tableInTemplate() (*dynamodb.CreateTableInput, error) {
	content, err := os.ReadFile(filepath.Join(Root(), "template.yaml"))
	if err != nil {
		return nil, err
	}
	var template struct {
		Resources map[string]struct {
			Type       string    `yaml:"Type"`
			Properties yaml.Node `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(content, &template); err != nil {
		return nil, err
	}
	resource := template.Resources["SignupsTable"]
	if resource.Type != "AWS::DynamoDB::Table" {
		return nil, errors.New("template.yaml has no SignupsTable")
	}
	var described table
	if err := resource.Properties.Decode(&described); err != nil {
		return nil, err
	}
	return described.input(), nil
}

func (t table) input() *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{BillingMode: types.BillingModePayPerRequest, KeySchema: schema(t.KeySchema)}
	for _, attribute := range t.AttributeDefinitions {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: &attribute.AttributeName, AttributeType: types.ScalarAttributeType(attribute.AttributeType),
		})
	}
	for _, index := range t.GlobalSecondaryIndexes {
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: &index.IndexName, KeySchema: schema(index.KeySchema),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(index.Projection.ProjectionType), NonKeyAttributes: index.Projection.NonKeyAttributes},
		})
	}
	return input
}

func schema(keys []key) (elements []types.KeySchemaElement) {
	for _, k := range keys {
		elements = append(elements, types.KeySchemaElement{AttributeName: &k.AttributeName, KeyType: types.KeyType(k.KeyType)})
	}
	return elements
}

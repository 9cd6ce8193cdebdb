"""The authentication service: async FastAPI routes over one DynamoDB store."""

import { Type } from '@sinclair/typebox'
import { listUploads } from '../../materials/uploads.ts'
import { defineTool } from './tool.ts'

export const materialTools = [
  defineTool({
    name: 'list_uploads',
    description: 'Lists the learning materials that the user has uploaded, newest first.',
    effect: 'read',
    input: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })) }),
    async run(ctx, who, { limit = 10 }) {
      const { materials, total } = await listUploads(ctx, who.userId, limit)
      return {
        total,
        materials: materials.map((material) => ({
          id: material.id,
          title: material.title,
          type: material.type,
          status: material.status,
          thumbnail: material.thumbnailStatus,
          views: material.viewCount,
          likes: material.likeCount,
          created_at: material.createdAt.toISOString(),
        })),
      }
    },
  }),
]

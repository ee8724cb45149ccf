/**
 * The words of each kind of request. A request with any other word asks for something that the agent does not understand,
 * so the agent does nothing, because it would otherwise ignore a part of the request.
 */

const LOOKING = {
  en: `please|thanks|thank you|now|right|currently|hi|hello|hey|i['’]?m|i|me|my|mine|the|an?|of|all|any|is|are|was|were|do|does|did|
    ha[sd]|have|there|it['’]?s|it|its|that|this|these|those|on|at|for|from|to|about|just|can|could|you|tell|give|show|list|see|view|
    display|check|look|what['’]?s|what|which|who|when|where|why|how['’]?s|how|many|much|state|status|still|yet`,
  zh: `请|麻烦|帮我|给我|告诉我|我们|我|是不是|是否|有没有|什么时候|什么|怎么样|怎样|怎么|如何|为什么|为何|哪几个|哪些|哪个|多少|几个|
    查看|查询|显示|列出|看看|看一下|看|查一下|查|一下|现在|当前|目前|所有|全部|状态|情况|时候|谁|啥|哪|有|的|了|吗|呢|吧|啊|是|在|都|还|个`,
}
const ORDERING = {
  en: `please|thanks|thank you|now|right away|immediately|just|can|could|you|i['’]d like|i (?:want|need)|to|go ahead|and|the|my|this|that|an?|`,
  zh: '请|麻烦|帮我|给我|我要|我想|我需要|我|想|需要|一下|立即|马上|现在|把|将|的|了|吧|掉|这个|那个|个|',
}

/** Matches English words as whole words, and Chinese ones anywhere. */
function wordList(en: string, zh: string): RegExp {
  const words = (text: string) => text.replace(/\s*\n\s*/g, '').replace(/^\||\|$/g, '')
  return new RegExp(`(?<![\\w-])(?:${words(en)})(?![\\w-])|${words(zh)}`, 'gi')
}

const STATUS_ZH =
  '进行中|正在运行|正在|运行中|等待中|等待|排队中|排队|待处理|失败|已完成|完成[了的]|已取消|取消[了掉]*的|已暂停|暂停[了中]?的|停止了'
const STATUS_EN = 'running|pending|queued|waiting|failed|completed|finished|done|cancell?ed|paused'

export const WORDS = {
  tasks: wordList(
    `${LOOKING.en}|tasks?|jobs?|${STATUS_EN}|progress|going|doing|#|number|no`,
    `${LOOKING.zh}|任务|列表|清单|进度|${STATUS_ZH}|第|号`,
  ),
  /** Words about tasks by which the list of tasks cannot be filtered. */
  narrowing: wordList(
    `gpu|test|study|video[_ -]?analysis|analysis|created?|started?|submitted|ran|stopped|run|start|create|yesterday|today|
      last|week|month|night|ago|recent(?:ly)?|latest|newest`,
    `测试|学习|视频分析|昨[天晚]|今天|前天|上周|本周|这周|上个?月|本月|刚[才刚]?|最近|最新|
      (?:创建|新建|启动|开始|运行|提交|停止|跑)(?:[的了过着、，]|时间)`,
  ),
  cancel: wordList(
    `${ORDERING.en}cancel|stop|abort|kill|tasks?|jobs?|number|no|it|is|stuck|because`,
    `${ORDERING.zh}取消|停止|终止|中止|任务|第|号|因为|卡住|它`,
  ),
  start: wordList(
    `${ORDERING.en}start|create|run|launch|submit|new|one|gpu|tasks?|jobs?|of|on|for|with|from|called|named|titled|type|this|url|link|at`,
    `${ORDERING.zh}创建|新建|启动|开始|运行|提交|跑|起来|一个|一次|新|任务|对|进行|做|类型|网址|链接|叫做?|名为|标题|为|是`,
  ),
  gpus: wordList(
    `${LOOKING.en}|gpus?|cluster|nodes?|servers?|busy|free|idle|online|offline|available|load|usage|utili[sz]ation|memory|used`,
    `${LOOKING.zh}|gpu|显卡|算力|集群|节点|服务器|忙碌?|空闲|在线|离线|使用率|使用|显存|可用|多|几|台|块`,
  ),
  uploads: wordList(
    `${LOOKING.en}|uploads|uploaded|(?:learning )?materials?|files?`,
    `${LOOKING.zh}|上传[过的了]|(?<=我的?)上传|学习|课件|材料|资料|文件|列表`,
  ),
  agenda: wordList(
    `${LOOKING.en}|schedules?|calendar|agenda|appointments?|meetings?|events?|reminders?|anything|planned|scheduled|in|next|coming|days?|weeks?`,
    `${LOOKING.zh}|安排|日程|行程|日历|约会|会议|预约|提醒|未来|接下来|今后`,
  ),
  remove: wordList(
    `${ORDERING.en}cancel|delete|remove|from|item|appointment|meeting|event|reminder|with|id|schedule|calendar|agenda`,
    `${ORDERING.zh}取消|删除|删掉|去掉|日程|行程|日历|约会|会议|预约|提醒|id|号|中|里|从`,
  ),
} satisfies Record<string, RegExp>

/** Whether a request contains only these words. */
export const says = (request: string, ...words: RegExp[]): boolean =>
  !/[\p{L}\p{N}]/u.test(
    words.reduce((rest, list) => rest.replace(list, ' '), request.replace(/['’]s\b/g, ' ')),
  )
